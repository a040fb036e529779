/* The user's memory, for the engine's own files: lines in, words out. tinylm.h is the public API, and docs/SPEC-memory.md has
 * the bytes. */
#ifndef TLM_MEMORY_H
#define TLM_MEMORY_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TLM_UNKNOWN_CODE 0x80000000UL  /* codes from here on: a word that is not in the lexicon (tlm_memory.c, "Codes") */

enum {
    TLM_LINE_START = 0,  /* a byte before a line's words; letters are 1..lexicon.letters */
    TLM_LONG_CODES = 254 /* the last byte of a code of 3 bytes is this or more, and less of one of 2 */
};

/* What was read: a word, or the start of a line. */
typedef struct {
    uint32_t code;
    uint16_t at;         /* of an unknown word: its letter codes in the bytes */
    uint8_t length;      /* and how many, 1..TLM_WORD_LETTERS; 0: it is no unknown word */
} tlm_token_t;

/* The words of the line, which ends, into the memory; nothing when there is no memory or no word. */
void tlm_memory_learn(tlm_engine_t *engine);

/* The code of a word that the lexicon does not have. */
uint32_t tlm_memory_code(const uint8_t *letters, uint8_t length);

/* The code of the last word that was finished before byte `start` of the line; kept until the line loses it. */
uint32_t tlm_memory_before(tlm_engine_t *engine, uint16_t start);

/* What was learned, to be read. */
typedef struct {
    const uint8_t *bytes;
    uint16_t count;      /* of bytes */
    uint8_t mark;        /* stands before the letters of an unknown word; what is above it ends a code */
} tlm_lines_t;

tlm_lines_t tlm_memory_lines(const tlm_memory_t *memory);

/* Codes of a range: rows, and words without one. */
typedef struct {
    uint32_t first_row, first;
    uint32_t rows, words; /* how many */
} tlm_codes_t;

static inline bool tlm_codes_have(const tlm_codes_t *codes, uint32_t code)
{
    return code - codes->first_row < codes->rows || code - codes->first < codes->words; /* what is below wraps around */
}

/* Where to read on from byte `end`: past known words of other codes and starts of lines, which is most of a memory. */
uint16_t tlm_lines_skip(const tlm_lines_t *lines, const tlm_codes_t *codes, uint16_t end);

/* The code of two bytes that ends before `end`, which is 2 or more. */
static inline uint32_t tlm_lines_code(const tlm_lines_t *lines, uint16_t end)
{
    return lines->bytes[end - 2] | (uint32_t)(uint8_t)(lines->bytes[end - 1] - lines->mark - 1) << 8;
}

/* The unknown word whose last letter is before `end`, which is 1 or more. Its length is 0 where its mark is missing. */
tlm_token_t tlm_lines_read_spelled(const tlm_lines_t *lines, uint16_t end);

/* What ends before byte *at, which moves to where that begins: from lines->count on, the newest first. Returns false when
 * there is no more, or what there is was cut or damaged. Inline, so that it stays in registers: a suggestion reads all lines. */
static inline bool tlm_lines_read(const tlm_lines_t *lines, uint16_t *at, tlm_token_t *token)
{
    const uint16_t end = *at;
    const uint8_t last = end > 0 ? lines->bytes[end - 1] : TLM_LINE_START;

    token->at = 0;
    token->length = 0;
    if (last > lines->mark && last < TLM_LONG_CODES && end > 1) {
        *at = (uint16_t)(end - 2u);
        token->code = tlm_lines_code(lines, end);
        return true;
    }
    if (last == TLM_LINE_START && end > 0) {
        *at = (uint16_t)(end - 1u);
        token->code = TLM_ROW_BOUNDARY;
        return true;
    }
    if (last >= TLM_LONG_CODES && end > 2) {
        *at = (uint16_t)(end - 3u);
        token->code = lines->bytes[end - 3] | (uint32_t)lines->bytes[end - 2] << 8 |
                      (uint32_t)(last - TLM_LONG_CODES) << 16;
        return true;
    }
    if (last >= lines->mark || end == 0) {
        return false;
    }
    *token = tlm_lines_read_spelled(lines, end);
    *at = (uint16_t)(token->at - 1u); /* its mark */
    return token->length != 0;
}

#ifdef __cplusplus
}
#endif
#endif
