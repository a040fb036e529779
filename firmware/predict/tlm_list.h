/* The best words so far, best first, sums of scores, and what words lose that were passed over. Knows no lexicon and no memory. */
#ifndef TLM_LIST_H
#define TLM_LIST_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Twice the number of any row or word; a lexicon in near flash has less than 2^15 of either. */
typedef tlm_offset_t tlm_order_t;

/* A word that may be suggested. `order` and `place` together are the word's identity, and decide between equal scores:
 * the lower one first. */
typedef struct {
    int32_t score;
    tlm_order_t order;
    uint16_t place;  /* where its letters are found; what that means is its maker's business */
} tlm_candidate_t;

#define TLM_UNKNOWN_ORDER ((tlm_order_t)-1) /* of a word that only the memory has; its place is in tlm_taught_table_t */

enum { TLM_PASSED_NATS = 2 /* what a word that was passed over loses: who looks has overlooked it once in e^2 times */ };

/* After `capacity` words, one that was pushed out. */
typedef struct {
    uint8_t count, capacity;
    tlm_candidate_t best[TLM_MAX_SUGGESTIONS + 1];
} tlm_list_t;

/* An empty list of up to `capacity` words. */
static inline void tlm_list_begin(tlm_list_t *list, uint8_t capacity)
{
    list->count = 0;
    list->capacity = capacity;
}

/* Whether a word of that score, and of that order or a higher one, may enter. */
static inline bool tlm_list_has_room(const tlm_list_t *list, int32_t score, tlm_order_t order)
{
    const tlm_candidate_t *last = &list->best[list->count > 0 ? list->count - 1 : 0];

    return list->count < list->capacity || score > last->score || (score == last->score && order <= last->order);
}

/* A word of a higher order than all in the list may enter when its score is above this. */
static inline int32_t tlm_list_least(const tlm_list_t *list)
{
    return list->count < list->capacity ? INT32_MIN : list->best[list->count - 1].score;
}

/* The first score from here on that is above `least`; there is one. In another file than its caller: inlined, gcc 12 works out the row
 * in every turn, in 8 instructions for 3. */
const int32_t *tlm_list_pass(const int32_t *score, int32_t least);

/* What a word that was passed over is known by. Orders are odd where the place is a row. */
static inline tlm_order_t tlm_passed_key(tlm_order_t order, uint16_t place)
{
    return (tlm_order_t)(2u * (tlm_order_t)place + (order & 1u));
}

/* The same of a word that has neither row nor index, by its tlm_memory_code. Where an order has 16 bits no other words are known, or
 * one of 4,000 is taken for another. */
static inline tlm_order_t tlm_passed_key_of_code(uint32_t code) { return (tlm_order_t)(0x20000UL + (code & 0xFFFFu)); }

/* Whether the word that is known by that key was passed over. */
static inline bool tlm_passed_has(const tlm_engine_t *engine, tlm_order_t key)
{
    uint8_t i = engine->passed.count;

    while (i > 0 && engine->passed.keys[i - 1] != key) {
        i--;
    }
    return i > 0;
}

/* A word's score, less what it loses when it was passed over. */
static inline int32_t tlm_passed_score(const tlm_engine_t *engine, int32_t score, tlm_order_t key)
{
    return tlm_passed_has(engine, key) ? score - TLM_PASSED_NATS * tlm_model_of(engine)->network.units_per_nat : score;
}

/* Put a word in if it is good enough, with what it loses taken off; a word of TLM_UNKNOWN_ORDER has lost it already. A word that is in
 * the list at a lower score is raised, never listed twice. */
void tlm_list_offer(const tlm_engine_t *engine, tlm_list_t *list, int32_t score, tlm_order_t order, uint16_t place);

/* Which of the list comes first in the lexicon among those that are not `done` (a bit each, by its place in the list); there is one. A
 * word of the memory alone comes last. */
static inline uint8_t tlm_list_next(const tlm_list_t *list, uint8_t done)
{
    uint8_t next = TLM_MAX_SUGGESTIONS;

    for (uint8_t i = 0; i < list->count; i++) {
        const tlm_candidate_t *one = &list->best[i], *other = &list->best[next];
        if ((done & 1u << i) == 0 && (next == TLM_MAX_SUGGESTIONS || one->order < other->order ||
                                     (one->order == other->order && one->place < other->place))) {
            next = i;
        }
    }
    return next;
}

/* score + units_per_nat * millinats / 1000 as C divides, in 32 bits: quotient and remainder have one sign, so that
 * truncating the remainder's part alone truncates the whole. |millinats| < 2^19, units <= TLM_MAX_UNITS: both products are
 * below 2^31, and the sum is (score within 2^30) when |millinats / 1000| * units is within 2^30: 524 * 2 * 10^6 is. */
int32_t tlm_score_add(int32_t score, int32_t units_per_nat, int32_t millinats);

#ifdef __cplusplus
}
#endif
#endif
