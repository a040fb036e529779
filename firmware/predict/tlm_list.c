#include "tlm_list.h"

static bool is_better(const tlm_candidate_t *one, const tlm_candidate_t *than)
{
    if (one->score != than->score) {
        return one->score > than->score;
    }
    return one->order < than->order || (one->order == than->order && one->place < than->place);
}

void tlm_list_offer(tlm_list_t *list, int32_t score, uint32_t order, uint16_t place)
{
    const tlm_candidate_t candidate = {score, order, place};
    uint8_t at = 0;

    if (!tlm_list_has_room(list, score, order)) {
        return;
    }
    while (at < list->count && (list->best[at].order != order || list->best[at].place != place)) {
        at++;
    }
    /* What is at `at` goes: the word's lower self, nothing, or the last of a full list. */
    if (at == list->count && list->count < list->capacity) {
        list->count++;
    } else {
        at = (uint8_t)(at - (at == list->count ? 1 : 0));
        if (!is_better(&candidate, &list->best[at])) {
            return;
        }
    }
    for (; at > 0 && is_better(&candidate, &list->best[at - 1]); at--) {
        list->best[at] = list->best[at - 1];
    }
    list->best[at] = candidate;
}

int32_t tlm_score_add(int32_t score, int32_t units_per_nat, int32_t millinats)
{
    return score + units_per_nat * (millinats / 1000) + units_per_nat * (millinats % 1000) / 1000;
}
