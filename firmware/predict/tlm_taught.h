/* The words of the user's memory that may come next. For the engine's own files. docs/SPEC-memory.md has the rule. */
#ifndef TLM_TAUGHT_H
#define TLM_TAUGHT_H

#include "tlm_lexicon.h"
#include "tlm_line.h"
#include "tlm_list.h"
#include "tlm_memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_NO_FOLLOWER = 0,               /* tlm_taught_t.at of a known word that nothing was told of */
    TLM_TAUGHT_SETS = 4,               /* a power of two */
    TLM_TAUGHT_WAYS = 4,               /* words of a set */
    TLM_TAUGHT_WORDS = TLM_TAUGHT_SETS * TLM_TAUGHT_WAYS
};

/* A word that the user has typed and may want now. */
typedef struct {
    uint32_t code;                     /* which word: tlm_memory.c, "Codes" */
    uint16_t uses;                     /* how often the memory has it; 0: there is no such word */
    uint16_t pairs;                    /* how often of these after the word before */
    uint16_t at;                       /* unknown words: where the letters are in the memory; others: for the caller */
    uint8_t length;                    /* unknown words: letters; others: 0 */
} tlm_taught_t;

/* The codes of a range's words. */
static inline tlm_codes_t tlm_taught_codes(const tlm_lexicon_t *lexicon, const tlm_range_t *range)
{
    const tlm_codes_t codes = {range->first_row, (uint32_t)TLM_FIRST_ROW + lexicon->rows + range->first,
                               (uint32_t)(range->end_row - range->first_row), (uint32_t)(range->end - range->first)};
    return codes;
}

typedef struct {
    tlm_taught_t words[TLM_TAUGHT_WORDS]; /* set after set */
} tlm_taught_table_t;

/* The words of the memory that may follow: those in the range (which leaves out the word that is typed), and those without
 * a place in the lexicon that begin with the typed letters. One pass over the memory, the newest word first; a full set
 * takes no further word unless it makes a pair. Before the first letter only pairs count. */
void tlm_taught_recall(tlm_engine_t *engine, const tlm_typed_t *typed, const tlm_range_t *range, tlm_taught_table_t *table);

/* The word of that code in the table, or 0. */
tlm_taught_t *tlm_taught_find(tlm_taught_table_t *table, uint32_t code);

/* Tell a word of the table (0: there is no table) what it costs as a follower: its `at` is that and 1. */
static inline void tlm_taught_tell(tlm_taught_table_t *table, uint32_t code, uint16_t cost)
{
    tlm_taught_t *word = table != 0 ? tlm_taught_find(table, code) : 0;
    if (word != 0) {
        word->at = (uint16_t)(cost + 1u);
    }
}

/* Write an unknown word of the table as the suggestion of that rank. */
void tlm_taught_write(tlm_engine_t *engine, uint8_t rank, const tlm_typed_t *typed, const tlm_taught_t *word);

/* What its uses add to the score that the model gives a word, in thousandths of a nat: 95 or more. */
int32_t tlm_taught_bonus(const tlm_taught_t *word);

/* How likely its uses make a word by themselves, beside an unknown word: thousandths of a nat. */
int32_t tlm_taught_millinats(const tlm_taught_t *word);

#ifdef __cplusplus
}
#endif
#endif
