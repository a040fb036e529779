/* Suggestions of the mixture kind: as the word kind's, but what follows the last words in the n-gram is likelier.
 *
 * Cost: before the first letter the word kind's, less than a quarter of which the sum of all rows adds, and what the followers
 * take; a letter then the rows and the followers in the prefix's range. */
#include "tlm_lse.h"
#include "tlm_mixture.h"
#include "tlm_passed.h"
#include "tlm_words.h"

enum {
    NEAR_NATS = 4                /* a share so far below the last word of the list changes its score by less than 2 % */
};

/* What a follower gains: its probability beside the network's. */
typedef struct {
    tlm_lse_t nothing;           /* a sum that is still empty */
    int32_t score;               /* of a follower that costs nothing */
    int32_t least;               /* less of a share is left out */
} share_t;

/* Of a moment: behind the network's state. */
static int8_t *part_of(const tlm_engine_t *engine, tlm_moment_t *moment)
{
    return moment->state + tlm_model_of(engine)->network.state_bytes;
}

uint32_t tlm_hash_mixture(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash)
{
    const tlm_model_t *model = tlm_model_of(engine);

    hash = tlm_hash_network(engine, moment, hash);
    return tlm_ngram_hash(model->ngram, tlm_language_of(engine), moment->state + model->network.state_bytes, hash);
}

/* A mixture has at most 65,535 numbers. */
static uint16_t number_of(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length)
{
    return (uint16_t)tlm_lexicon_code(lexicon, language, letters, length);
}

/* All rows' scores into the sum, and into the list where there is one. */
static void sum_rows(const tlm_engine_t *engine, const int8_t *context, tlm_lse_t *sum, tlm_list_t *list)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;
    int32_t scores[TLM_LISTED_ROWS + 1];
    uint16_t row = 0;

    while (row < network->rows) {
        const uint8_t count = tlm_listed_rows(row, network->rows);
        network->score(tlm_language_of(engine), context, row, count, scores);
        tlm_lse_add(sum, scores, count);
        if (list != 0) {
            tlm_words_offer_rows(engine, scores, row, count, list);
        }
        row = (uint16_t)(row + count);
    }
}

/* What followers gain after a moment, and the rows of the range into the list: one pass over all rows does both before the
 * first letter. */
static share_t list_rows(const tlm_engine_t *engine, tlm_moment_t *moment, bool all, const tlm_range_t *range, tlm_list_t *list)
{
    const tlm_model_t *model = tlm_model_of(engine);
    int32_t sum = tlm_mixture_sum(part_of(engine, moment));
    share_t share;

    tlm_lse_start(&share.nothing, model->network.units_per_nat);
    if (sum != TLM_NOT_SUMMED) {
        all = false;
    } else {
        tlm_lse_t rows = share.nothing;
        sum_rows(engine, moment->context, &rows, all ? list : 0);
        sum = tlm_lse_value(&rows);
        tlm_mixture_keep(part_of(engine, moment), sum);
    }
    if (!all) {
        tlm_words_list_rows(engine, moment->context, range->first_row, range->end_row, list);
    }
    share.score = sum + model->ngram->share_units;
    share.least = INT32_MIN;
    return share;
}

/* A follower's part in its score. Costs are at most 510: the product is below 2^30. */
static int32_t score_of_cost(const share_t *share, uint16_t cost)
{
    return share->score - (share->nothing.units_per_nat * (int32_t)cost) / TLM_NGRAM_UNITS;
}

/* What a row's score and a share are together. */
static int32_t sum_of_both(const share_t *share, int32_t score, int32_t part)
{
    const int32_t scores[2] = {score, part};
    tlm_lse_t both = share->nothing;

    tlm_lse_add(&both, scores, 2);
    return tlm_lse_value(&both);
}

/* The score of a follower that has a row. */
static int32_t score_of_row(const tlm_engine_t *engine, const int8_t *context, const share_t *share, uint16_t row, uint16_t cost)
{
    int32_t score;

    tlm_model_of(engine)->network.score(tlm_language_of(engine), context, row, 1, &score);
    return sum_of_both(share, score, score_of_cost(share, cost));
}

/* What a follower may cost at most, so that its share is not below share->least, which is not above share->score. */
static uint16_t most_cost(const share_t *share)
{
    const uint32_t distance = (uint32_t)share->score - (uint32_t)share->least;
    const uint32_t units = (uint32_t)share->nothing.units_per_nat;

    /* Costs are below 32 nats. Otherwise 16 * 32 * TLM_MAX_UNITS is below 2^30. */
    return (uint16_t)(distance >= 32u * units ? UINT16_MAX : (TLM_NGRAM_UNITS * (distance + 1u) - 1u) / units);
}

/* Whether a row's score need not be known, as with its share it cannot enter the list: a row that was not among the best before
 * followers came scores at most what the last of these does. */
static bool is_hopeless(const share_t *share, const tlm_list_t *before, uint16_t row, int32_t part, const tlm_list_t *list)
{
    const int32_t units = share->nothing.units_per_nat;

    if (before->count < before->capacity) {
        return false;
    }
    for (uint8_t i = 0; i < before->count; i++) {
        if (before->best[i].order == tlm_row_order(row)) {
            return false;
        }
    }
    /* Sums are within 0.06 nats and a unit of the logarithm, which rises with the score. */
    return sum_of_both(share, before->best[before->count - 1].score, part) + units / 4 + 4 < tlm_list_least(list);
}

/* A follower that is not too dear; `before`: the list without followers. */
static void list_follower(const tlm_engine_t *engine, const int8_t *context, const share_t *share, uint16_t row, uint16_t cost,
                          const tlm_list_t *before, tlm_list_t *list)
{
    const uint16_t plain = (uint16_t)(TLM_FIRST_ROW + tlm_model_of(engine)->lexicon.rows);
    const int32_t part = score_of_cost(share, cost);

    if (row >= plain) {
        tlm_words_raise(engine, list, part, (uint16_t)(row - plain));
    } else if (!is_hopeless(share, before, row, part, list)) {
        tlm_list_offer(engine, list, score_of_row(engine, context, share, row, cost), tlm_row_order(row), row);
    }
}

/* The followers in the range; those in the table (0: there is none) are told their cost there. */
static void list_followers(const tlm_engine_t *engine, tlm_moment_t *moment, const tlm_range_t *range, const share_t *share,
                           tlm_taught_table_t *table, tlm_list_t *list)
{
    const tlm_model_t *model = tlm_model_of(engine);
    const tlm_codes_t codes = tlm_taught_codes(&model->lexicon, range);
    const tlm_list_t before = *list;
    uint32_t row = range->first_row; /* all below it were read, or are not in the range */
    tlm_followers_t followers;
    uint8_t count;

    if (share->score < share->least) {
        return;
    }
    tlm_followers_start(model->ngram, tlm_language_of(engine), part_of(engine, moment), &followers);
    followers.most = most_cost(share);
    do {
        followers.first = (uint16_t)(row < range->end_row ? row : codes.first);
        count = tlm_followers_read(model->ngram, tlm_language_of(engine), &followers);
        for (uint8_t i = 0; i < count; i++) {
            row = followers.rows[i];
            if (followers.costs[i] <= followers.most && tlm_codes_have(&codes, row)) {
                tlm_taught_tell(table, row, followers.costs[i]);
                list_follower(engine, moment->context, share, followers.rows[i], followers.costs[i], &before, list);
            }
        }
        row++;
    } while (count > 0 && row < codes.first + codes.words);
}

/* The word kind's rows have a score, and followers have one. */
static bool score_of(const tlm_engine_t *engine, const int8_t *context, const tlm_taught_t *word, const void *more,
                     int32_t *score)
{
    const share_t *share = more;
    const bool has_row = word->code < (uint32_t)TLM_FIRST_ROW + tlm_model_of(engine)->lexicon.rows;

    if (word->at != TLM_NO_FOLLOWER) {
        const uint16_t cost = (uint16_t)(word->at - 1u);
        *score = has_row ? score_of_row(engine, context, share, (uint16_t)word->code, cost) : score_of_cost(share, cost);
    } else if (has_row) {
        tlm_model_of(engine)->network.score(tlm_language_of(engine), context, (uint16_t)word->code, 1, score);
    }
    return has_row || word->at != TLM_NO_FOLLOWER;
}

int tlm_suggest_mixture(tlm_engine_t *engine, uint8_t count)
{
    tlm_typed_t typed;
    tlm_range_t range;
    tlm_list_t list;
    tlm_taught_table_t table;
    tlm_cursor_t cursor;
    tlm_moment_t *moment;
    share_t share;

    tlm_list_begin(&list, count);
    tlm_line_typed(engine, &typed);
    tlm_passed_begin(engine, &typed);
    if (!tlm_words_range(engine, &typed, &range, &cursor)) {
        return 0;
    }
    (void)tlm_line_follow(engine, number_of);
    moment = tlm_moment_newest(engine);
    share = list_rows(engine, moment, typed.length == 0, &range, &list);
    if (typed.length > 0 && range.first < range.end) {
        tlm_words_list_lexicon(engine, moment->context, &range, &cursor, &list);
    }
    if (tlm_memory_of(engine) != 0) {
        tlm_taught_recall(engine, &typed, &range, &table);
    }
    if (list.count == count) {
        share.least = list.best[count - 1].score - NEAR_NATS * share.nothing.units_per_nat;
    }
    list_followers(engine, moment, &range, &share, tlm_memory_of(engine) != 0 ? &table : 0, &list);
    if (tlm_memory_of(engine) != 0) {
        tlm_words_list_memory(engine, moment->context, &table, score_of, &share, &list);
    }
    tlm_words_write(engine, &typed, &list, &table, &cursor);
    return list.count;
}
