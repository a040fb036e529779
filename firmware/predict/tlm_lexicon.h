/* The packed lexicon's reader: from a prefix to a range of words, from an index to a word. docs/SPEC-lexicon.md has the
 * format. Nothing is unpacked to RAM: a cursor holds one word. */
#ifndef TLM_LEXICON_H
#define TLM_LEXICON_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_LEVELS = 32,             /* 0..31 */
    TLM_NO_LEVEL = 255           /* above every level: no such word */
};

#define TLM_NO_WORD 65535u       /* above every word's index: of a cursor that is on none */

typedef struct {
    uint16_t first, end;         /* word indices [first, end) */
    uint16_t first_row, end_row; /* network rows [first_row, end_row) of the level-0 words among them */
    uint8_t prefix_level;        /* level of the word that equals the prefix (it is the first); TLM_NO_LEVEL: none does */
} tlm_range_t;

/* A bit in the lexicon's stream. */
typedef struct {
    tlm_flash_t at;
    uint8_t bit;                        /* 0..7, lowest first */
} tlm_bit_t;

/* Reads words one after the other. */
typedef struct {
    tlm_bit_t next;
    uint16_t word;                      /* index of the word in `letters` */
    uint16_t row;                       /* its row when level is 0, else the row of the next level-0 word */
    uint8_t length, level;
    uint8_t shared;                     /* letters that it has in common with the word before it; 0 in a block's first word */
    uint8_t capitals;                   /* how it is written: 0 in lower case, 1 with a first capital, 2 in capitals */
    uint8_t letters[TLM_WORD_LETTERS];  /* letter codes 1..lexicon.letters */
} tlm_cursor_t;

/* The words that start with prefix[0..length-1] (letter codes); the empty prefix gives all. May be an empty range. The cursor is then
 * on its first word, or on none. */
tlm_range_t tlm_lexicon_range(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *prefix, uint8_t length,
                              tlm_cursor_t *cursor);

/* The network row of the word letters[0..length-1], or TLM_ROW_UNKNOWN when it has none. */
uint16_t tlm_lexicon_row(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length);

/* The index of the word letters[0..length-1], plus TLM_FIRST_ROW: its row where all words count alike (the n-gram). Or
 * TLM_ROW_UNKNOWN when it is not in the lexicon. */
uint16_t tlm_lexicon_number(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length);

/* A number for each word, also beside a network: its row, or where it has none 2 + rows + its index among all words; or
 * TLM_ROW_UNKNOWN. The memory and the mixture's n-gram write it. */
uint32_t tlm_lexicon_code(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length);

/* Put the cursor on word `index` (below lexicon->words). From a word before it in its block it goes on from there; else it reads half
 * a block on average. So does tlm_cursor_seek_row. A cursor that was on no word yet says TLM_NO_WORD. */
void tlm_cursor_seek(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t index, tlm_cursor_t *cursor);

/* Move to the next word. Returns false, and leaves the cursor, when there is none. */
bool tlm_cursor_next(const tlm_lexicon_t *lexicon, tlm_flash_t language, tlm_cursor_t *cursor);

/* Put the cursor on the level-0 word that has network row `row` (TLM_FIRST_ROW..TLM_FIRST_ROW + lexicon->rows - 1). */
void tlm_cursor_seek_row(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t row, tlm_cursor_t *cursor);

/* Put the cursor on the word letters[0..length-1]. Returns false when there is none; the cursor is then of no use. */
bool tlm_cursor_seek_word(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length,
                          tlm_cursor_t *cursor);

/* The end of the block that holds word `index`, but at most `end`. */
uint16_t tlm_lexicon_block_end(const tlm_lexicon_t *lexicon, uint16_t index, uint16_t end);

/* Lowest level of a lexicon-only word in the block that holds word `index`; TLM_NO_LEVEL when it has none: a block
 * whose best cannot enter the list is skipped unread. */
uint8_t tlm_lexicon_block_level(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t index);

#ifdef __cplusplus
}
#endif
#endif
