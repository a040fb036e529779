/* The words of a network as candidates: those with a row, those of the lexicon alone, those of the user's memory, in one list.
 * For tlm_suggest_words.c and tlm_suggest_mixture.c. docs/DESIGN.md has the rule. */
#ifndef TLM_WORDS_H
#define TLM_WORDS_H

#include "tlm_lexicon.h"
#include "tlm_line.h"
#include "tlm_list.h"
#include "tlm_taught.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_LISTED_ROWS = TLM_SMALL ? 1 : 128 /* scored at once: 516 bytes of stack */
};

/* A lexicon-only word stands before the row of the next level-0 word, which its cursor knows. So the order of the words
 * needs no word index of a row, for which the lexicon would have to be read. A candidate's place is the row or the index. */
static inline tlm_order_t tlm_row_order(uint16_t row) { return (tlm_order_t)(2u * (tlm_order_t)row + 1u); }

/* How many of the rows first..end-1 to score at once; first is below end. */
static inline uint8_t tlm_listed_rows(uint16_t first, uint16_t end)
{
    const uint16_t left = (uint16_t)(end - first);
    return (uint8_t)(left < TLM_LISTED_ROWS ? left : (uint16_t)TLM_LISTED_ROWS);
}

/* The words that may be suggested: they start with the typed letters and are longer. Returns whether there can be any. The cursor is then
 * as after tlm_lexicon_range. */
bool tlm_words_range(const tlm_engine_t *engine, const tlm_typed_t *typed, tlm_range_t *range, tlm_cursor_t *cursor);

/* The words among the rows first..first+count-1, by their scores; the list has no later ones. Behind the scores is room for one. */
void tlm_words_offer_rows(const tlm_engine_t *engine, int32_t *scores, uint16_t first, uint8_t count, tlm_list_t *list);

/* The rows first..end-1, by the score of each; the list has no later ones. */
void tlm_words_list_rows(const tlm_engine_t *engine, const int8_t *context, uint16_t first, uint16_t end, tlm_list_t *list);

/* The lexicon-only words of the range, by their level; `near` is the range's cursor. */
void tlm_words_list_lexicon(const tlm_engine_t *engine, const int8_t *context, const tlm_range_t *range, const tlm_cursor_t *near,
                            tlm_list_t *list);

/* A lexicon-only word in place of itself, where it is listed at a lower score. It comes after all others of its score. */
void tlm_words_raise(const tlm_engine_t *engine, tlm_list_t *list, int32_t score, uint16_t index);

/* The score that a known word of the memory has without it. Returns false when it has none to be raised. */
typedef bool tlm_words_score_t(const tlm_engine_t *engine, const int8_t *context, const tlm_taught_t *word, const void *more,
                               int32_t *score);

/* The words of the memory: likely by their uses alone, and one with a score of its own also above that. */
void tlm_words_list_memory(const tlm_engine_t *engine, const int8_t *context, const tlm_taught_table_t *table,
                           tlm_words_score_t *score_of, const void *more, tlm_list_t *list);

/* Write the list as suggestions. The cursor, the range's, is moved from word to word. */
void tlm_words_write(tlm_engine_t *engine, const tlm_typed_t *typed, const tlm_list_t *list, const tlm_taught_table_t *table,
                     tlm_cursor_t *cursor);

#ifdef __cplusplus
}
#endif
#endif
