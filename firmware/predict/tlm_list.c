#include "tlm_list.h"

/* Whether each word is offered once: without a memory and an n-gram beside the network. */
static inline bool is_offered_once(void) { return TLM_SMALL && tlm_model.ngram == 0; }

static bool is_better(const tlm_candidate_t *one, const tlm_candidate_t *than)
{
    if (one->score != than->score) {
        return one->score > than->score;
    }
    return one->order < than->order || (!is_offered_once() && one->order == than->order && one->place < than->place);
}

void tlm_list_offer(const tlm_engine_t *engine, tlm_list_t *list, int32_t score, tlm_order_t order, uint16_t place)
{
    tlm_candidate_t candidate = {score, order, place};
    const tlm_candidate_t *const end = list->best + list->count;
    tlm_candidate_t *at = list->best;

    if (!is_offered_once() && !tlm_list_has_room(list, score, order)) {
        return;
    }
    if (is_offered_once() || order != TLM_UNKNOWN_ORDER) {
        candidate.score = tlm_passed_score(engine, score, tlm_passed_key(order, place));
    }
    while (at < end && (is_offered_once() || at->order != order || at->place != place)) {
        at++;
    }
    if (at < end) { /* the word's lower self goes */
        if (!is_better(&candidate, at)) {
            return;
        }
    } else if (list->count < list->capacity) {
        list->count++;
    }
    for (; at > list->best && is_better(&candidate, at - 1); at--) {
        *at = at[-1];
    }
    *at = candidate;
}

const int32_t *tlm_list_pass(const int32_t *score, int32_t least)
{
    while (*score <= least) {
        score++;
    }
    return score;
}

int32_t tlm_score_add(int32_t score, int32_t units_per_nat, int32_t millinats)
{
    return score + units_per_nat * (millinats / 1000) + units_per_nat * (millinats % 1000) / 1000;
}
