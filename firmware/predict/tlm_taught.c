/* The words of the memory that may come next, and what their uses are worth. Knows codes, counts and where
 * letters lie; knows neither how lines are packed nor the scores of a model. docs/SPEC-memory.md has the rule. */
#include "tlm_taught.h"

#include <string.h>

/* The mixture: fitted on the user streams of dev/en (benchmarks/learning.md). */
enum {
    RECENT_BYTES = 256,      /* of the newest: what was said there counts twice */
    USES_OF_PAIR = 100,      /* what a use after the word before is worth beside one anywhere */
    USES_BEFORE = 10,        /* that the model has seen of every word, as it were */
    ALONE_MILLINATS = 5500   /* one use alone makes a word so much less likely than an unknown word */
};

static bool is_wanted(const tlm_codes_t *codes, const tlm_typed_t *typed, const tlm_lines_t *lines, const tlm_token_t *token)
{
    if (token->length == 0) {
        return tlm_codes_have(codes, token->code);
    }
    return token->length > typed->length && memcmp(lines->bytes + token->at, typed->letters, typed->length) == 0;
}

static tlm_taught_t *set_of(tlm_taught_table_t *table, uint32_t code)
{
    return &table->words[(uint8_t)(code & (TLM_TAUGHT_SETS - 1u)) * TLM_TAUGHT_WAYS];
}

tlm_taught_t *tlm_taught_find(tlm_taught_table_t *table, uint32_t code)
{
    tlm_taught_t *set = set_of(table, code);

    for (uint8_t way = 0; way < TLM_TAUGHT_WAYS; way++) {
        if (set[way].uses != 0 && set[way].code == code) {
            return &set[way];
        }
    }
    return 0;
}

/* Count a word that counts as `uses`. In a full set only a pair finds a place: that of the word without one that was used last the longest ago. */
static void count_word(tlm_taught_table_t *table, const tlm_token_t *token, uint8_t uses, bool pair)
{
    tlm_taught_t *set = set_of(table, token->code);
    tlm_taught_t *place = tlm_taught_find(table, token->code);

    for (uint8_t way = 0; place == 0 && way < TLM_TAUGHT_WAYS; way++) {
        place = set[way].uses == 0 ? &set[way] : 0;
    }
    for (uint8_t way = TLM_TAUGHT_WAYS; place == 0 && pair && way > 0; way--) {
        if (set[way - 1].pairs == 0) {
            place = &set[way - 1];
            place->uses = 0;
        }
    }
    if (place == 0) {
        return;
    }
    if (place->uses == 0) {
        place->code = token->code;
        place->pairs = 0;
        place->at = token->at;
        place->length = token->length;
    }
    place->uses = (uint16_t)(place->uses + uses); /* a word has two bytes or more, and few are recent: below 2^16 */
    place->pairs = (uint16_t)(place->pairs + (pair ? 1 : 0));
}

void tlm_taught_recall(tlm_engine_t *engine, const tlm_typed_t *typed, const tlm_range_t *range, tlm_taught_table_t *table)
{
    const tlm_lines_t lines = tlm_memory_lines(tlm_memory_of(engine));
    const uint32_t before = tlm_memory_before(engine, typed->start);
    const tlm_codes_t codes = tlm_taught_codes(&tlm_model_of(engine)->lexicon, range);
    const uint16_t recent = (uint16_t)(lines.count > RECENT_BYTES ? lines.count - RECENT_BYTES : 0);
    uint16_t at = lines.count;
    tlm_token_t later = {TLM_ROW_BOUNDARY, 0, 0};
    tlm_token_t token;
    uint8_t uses = 0; /* of `later`: 0 when it is not wanted */

    memset(table, 0, sizeof *table);
    while (tlm_lines_read(&lines, &at, &token)) {
        const bool pair = token.code == before;
        if (uses != 0 && (pair || typed->length > 0)) {
            count_word(table, &later, uses, pair);
        }
        uses = 0;
        if (is_wanted(&codes, typed, &lines, &token)) {
            later = token;
            uses = at >= recent ? 2 : 1;
        } else if (typed->length > 0) {
            at = tlm_lines_skip(&lines, &codes, at);
        }
    }
    if (uses != 0 && typed->length > 0) {
        count_word(table, &later, uses, false);
    }
}

void tlm_taught_write(tlm_engine_t *engine, uint8_t rank, const tlm_typed_t *typed, const tlm_taught_t *word)
{
    tlm_suggestion_write(engine, rank, typed, tlm_memory_lines(tlm_memory_of(engine)).bytes + word->at, word->length, 0);
}

/* The mixture */

/* ln of 1 or more in thousandths; to a 16th of x. */
static int32_t millinats_of(uint32_t x)
{
    static const uint16_t table[31] = {0,    693,  1099, 1386, 1609, 1792, 1946, 2079, 2197, 2303, 2398,
                                       2485, 2565, 2639, 2708, 2773, 2833, 2890, 2944, 2996, 3045, 3091,
                                       3135, 3178, 3219, 3258, 3296, 3332, 3367, 3401, 3434}; /* ln 1 .. ln 31 */
    uint8_t halved = 0;

    while (x > 31) {
        x >>= 1;
        halved++;
    }
    return table[x - 1] + 693 * (int32_t)halved;
}

static uint32_t weight_of(const tlm_taught_t *word) { return word->uses + USES_OF_PAIR * (uint32_t)word->pairs; }

int32_t tlm_taught_bonus(const tlm_taught_t *word)
{
    return millinats_of(USES_BEFORE + weight_of(word)) - millinats_of(USES_BEFORE);
}

int32_t tlm_taught_millinats(const tlm_taught_t *word) { return millinats_of(weight_of(word)) - ALONE_MILLINATS; }
