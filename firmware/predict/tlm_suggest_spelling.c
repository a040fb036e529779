/* Suggestions of the character kind: the likeliest ways to spell on, found by a beam search with the network.
 *
 * Cost: a step and the scores of all symbols for each beginning followed: TLM_BEAM of them a letter, at most
 * TLM_SPELLING_STEPS in all. The search ends sooner when no beginning can still become one of the best words. */
#include "tlm_line.h"
#include "tlm_lse.h"
#include "tlm_passed.h"

#include <string.h>

enum {
    /* Probabilities are costs here: -log2 P in 256ths of a bit, as the logits of different states cannot be compared. */
    COST_OF_NAT = 369,             /* 256 / ln 2, to a thousandth */
    MAX_NATS = 40,                 /* costlier is as good as impossible: a cost stays below 15,129 */
    MAX_SYMBOLS = TLM_MAX_LETTERS + TLM_FIRST_ROW,
    LETTER_MILLINATS = 1700        /* what a letter typed as a word of the memory has it says for that word */
};

typedef struct {
    int32_t cost;   /* at most 24 letters of 15,129 + 1,792: below 2^19 */
    uint8_t slot;   /* of the beginning in engine->beam */
    uint8_t letter; /* that follows it */
} branch_t;

typedef struct {
    tlm_engine_t *engine;
    const tlm_typed_t *typed;
    uint8_t capacity, found;                /* suggestions wanted and made */
    int32_t found_cost[TLM_MAX_SUGGESTIONS];
    tlm_order_t found_key[TLM_MAX_SUGGESTIONS]; /* what each is known by, when it was passed over */
    uint8_t branch_count;
    branch_t branches[TLM_BEAM + 1];        /* the best continuations, best first; one more, or gcc 12 warns of a beam of 1 */
    uint8_t steps;                          /* taken */
    tlm_taught_table_t *taught;             /* words of the memory that were not found; 0: there is no memory */
} search_t;

/* Step through the line: a letter each, and one space after a word however many separators there are. */
static const tlm_moment_t *follow_line(tlm_engine_t *engine)
{
    const tlm_moment_t *moment = tlm_moment_newest(engine);
    uint16_t at = moment->line_bytes;
    bool in_word = false;

    if (at > 0) {
        uint16_t last = tlm_line_before(engine, at);
        in_word = tlm_line_letter(engine, &last) != 0;
    }
    while (at < engine->line_bytes) {
        const uint8_t letter = tlm_line_letter(engine, &at);
        if (letter != 0) {
            moment = tlm_moment_push(engine, (uint16_t)(TLM_FIRST_ROW + letter - 1), at);
        } else if (in_word) {
            moment = tlm_moment_push(engine, TLM_ROW_UNKNOWN, at); /* the symbol of the space */
        }
        in_word = letter != 0;
    }
    return moment;
}

/* The cost of being `below` score units less likely. Remainder < units <= 2,000,000: times 369 is below 2^30. */
static int32_t cost_below(uint32_t below, uint32_t units)
{
    const uint32_t nats = below / units;

    if (nats >= MAX_NATS) {
        return MAX_NATS * COST_OF_NAT;
    }
    return (int32_t)(nats * COST_OF_NAT + below % units * COST_OF_NAT / units);
}

/* 2^15 * 2^(-cost / 256), to a 16th of a bit. */
static uint32_t power_of_cost(int32_t cost) { return cost < 16 * 256 ? tlm_half_power((uint32_t)cost >> 4) : 0; }

/* log2(sum / 2^15) in 256ths, to a 16th of a bit; 2^15 <= sum <= 66 * 2^15, so below 7 * 256 = 1,792. */
static int32_t cost_of_sum(uint32_t sum)
{
    int32_t sixteenths = 0;
    int32_t whole = 0;

    while (sum >= 0x10000u) {
        sum >>= 1;
        whole++;
    }
    while (sixteenths < TLM_HALF_POWERS - 1 && sum >= 2u * tlm_half_powers[TLM_HALF_POWERS - 1 - sixteenths]) {
        sixteenths++;
    }
    return whole * 256 + sixteenths * 16;
}

/* The cost of every symbol after a state. Only differences of scores count: logs of a softmax in integers. */
static void cost_symbols(const tlm_engine_t *engine, const int8_t *context, int32_t *costs)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;
    const uint8_t symbols = (uint8_t)(tlm_model_of(engine)->lexicon.letters + TLM_FIRST_ROW);
    int32_t best;
    int32_t total;
    uint32_t sum = 0; /* at most 66 * 2^15 */

    network->score(tlm_language_of(engine), context, 0, symbols, costs);
    best = costs[0];
    for (uint8_t i = 1; i < symbols; i++) {
        best = costs[i] > best ? costs[i] : best;
    }
    for (uint8_t i = 0; i < symbols; i++) {
        /* Unsigned: a difference of two scores within 2^30 needs 32 bits. */
        costs[i] = cost_below((uint32_t)best - (uint32_t)costs[i], (uint32_t)network->units_per_nat);
        sum += power_of_cost(costs[i]);
    }
    total = cost_of_sum(sum);
    for (uint8_t i = 0; i < symbols; i++) {
        costs[i] += total;
    }
}

static bool can_be_found(const search_t *search, int32_t cost)
{
    return search->found < search->capacity || cost < search->found_cost[search->found - 1];
}

/* The place in the list that a word of that cost gets, or `capacity` when it gets none. Ties: the one found first. */
static uint8_t make_place(search_t *search, int32_t cost, uint32_t code)
{
    tlm_suggestion_t *suggestions = search->engine->suggestions;
    const tlm_order_t key = tlm_passed_key_of_code(code);
    uint8_t i;

    if (tlm_passed_has(search->engine, key)) {
        cost += TLM_PASSED_NATS * COST_OF_NAT;
    }
    if (!can_be_found(search, cost)) {
        return search->capacity;
    }
    if (search->found < search->capacity) {
        search->found++;
    }
    for (i = (uint8_t)(search->found - 1); i > 0 && cost < search->found_cost[i - 1]; i--) {
        search->found_cost[i] = search->found_cost[i - 1];
        search->found_key[i] = search->found_key[i - 1];
        suggestions[i] = suggestions[i - 1];
    }
    search->found_cost[i] = cost;
    search->found_key[i] = key;
    return i;
}

static int32_t cost_of_millinats(int32_t millinats) { return -(millinats * COST_OF_NAT / 1000); }

/* The cost of a word of the memory by its uses alone. */
static int32_t taught_cost(const search_t *search, const tlm_taught_t *word)
{
    return cost_of_millinats(tlm_taught_millinats(word) + LETTER_MILLINATS * (int32_t)search->typed->length);
}

/* A beginning that may end here is a word; the memory may make it cheaper. */
static void offer_word(search_t *search, const tlm_spelling_t *word, int32_t cost)
{
    const uint32_t code = tlm_memory_code(word->letters, word->length);
    tlm_taught_t *taught = search->taught != 0 ? tlm_taught_find(search->taught, code) : 0;
    uint8_t place;

    if (taught != 0) {
        const int32_t raised = cost + cost_of_millinats(tlm_taught_bonus(taught));
        const int32_t alone = taught_cost(search, taught);
        cost = raised < alone ? raised : alone;
        taught->uses = 0; /* it is found */
    }
    place = make_place(search, cost, code);
    if (place < search->capacity) {
        tlm_suggestion_write(search->engine, place, search->typed, word->letters, word->length, 0);
    }
}

/* The words of the memory that the search did not find. */
static void offer_taught(search_t *search)
{
    for (uint8_t i = 0; i < TLM_TAUGHT_WORDS; i++) {
        const tlm_taught_t *word = &search->taught->words[i];
        const uint8_t place = word->uses != 0 ? make_place(search, taught_cost(search, word), word->code) : search->capacity;
        if (place < search->capacity) {
            tlm_taught_write(search->engine, place, search->typed, word);
        }
    }
}

static void offer_branch(search_t *search, int32_t cost, uint8_t slot, uint8_t letter)
{
    const branch_t branch = {cost, slot, letter};
    uint8_t i;

    if (search->branch_count < TLM_BEAM) {
        search->branch_count++;
    } else if (cost >= search->branches[TLM_BEAM - 1].cost) {
        return;
    }
    for (i = (uint8_t)(search->branch_count - 1); i > 0 && cost < search->branches[i - 1].cost; i--) {
        search->branches[i] = search->branches[i - 1];
    }
    search->branches[i] = branch;
}

/* What may follow the beginning in `slot`: the end of the word, or a letter. */
static void expand(search_t *search, uint8_t slot, const int8_t *context)
{
    const tlm_spelling_t *beginning = &search->engine->beam[slot];
    int32_t costs[MAX_SYMBOLS];

    cost_symbols(search->engine, context, costs);
    if (beginning->length > search->typed->length) {
        const int32_t end = costs[TLM_ROW_BOUNDARY] < costs[TLM_ROW_UNKNOWN] ? costs[TLM_ROW_BOUNDARY]
                                                                             : costs[TLM_ROW_UNKNOWN];
        offer_word(search, beginning, beginning->cost + end);
    }
    if (beginning->length < TLM_WORD_LETTERS) {
        for (uint8_t letter = 1; letter <= tlm_model_of(search->engine)->lexicon.letters; letter++) {
            offer_branch(search, beginning->cost + costs[TLM_FIRST_ROW + letter - 1], slot, letter);
        }
    }
}

/* Turn the branches into the beam, in place: the first branch of a beginning takes its slot, the others copy it into
 * slots that no branch comes from. There are enough: as many branches as slots at most. slots[b] = where branch b went. */
static void grow(const search_t *search, uint8_t *slots)
{
    tlm_spelling_t *beam = search->engine->beam;
    bool used[TLM_BEAM] = {false};
    bool kept[TLM_BEAM] = {false};
    uint8_t unused = 0;

    for (uint8_t b = 0; b < search->branch_count; b++) {
        used[search->branches[b].slot] = true;
    }
    for (uint8_t b = 0; b < search->branch_count; b++) {
        const uint8_t slot = search->branches[b].slot;
        slots[b] = slot;
        if (kept[slot]) {
            while (used[unused]) {
                unused++;
            }
            used[unused] = true;
            beam[unused] = beam[slot];
            slots[b] = unused;
        }
        kept[slot] = true;
    }
    for (uint8_t b = 0; b < search->branch_count; b++) {
        tlm_spelling_t *beginning = &beam[slots[b]];
        beginning->letters[beginning->length] = search->branches[b].letter; /* expand() keeps it below the longest */
        beginning->length++;
        beginning->cost = search->branches[b].cost;
    }
}

/* One letter further: the branches become the beam, each is stepped and expanded into the next branches. */
static void advance(search_t *search)
{
    tlm_engine_t *engine = search->engine;
    uint8_t slots[TLM_BEAM];
    const uint8_t count = search->branch_count;
    int8_t context[TLM_CONTEXT_BYTES];

    grow(search, slots);
    search->branch_count = 0;
    for (uint8_t b = 0; b < count && search->steps < TLM_SPELLING_STEPS; b++) {
        tlm_spelling_t *beginning = &engine->beam[slots[b]];
        const uint16_t symbol = (uint16_t)(TLM_FIRST_ROW + beginning->letters[beginning->length - 1] - 1);
        tlm_model_of(engine)->network.step(tlm_language_of(engine), symbol, beginning->state, context, engine->scratch);
        search->steps++;
        expand(search, slots[b], context);
    }
}

int tlm_suggest_spelling(tlm_engine_t *engine, uint8_t count)
{
    tlm_typed_t typed;
    tlm_spelling_t *root = &engine->beam[0];
    const tlm_range_t no_range = {0, 0, 0, 0, TLM_NO_LEVEL}; /* there is no lexicon */
    const tlm_moment_t *moment;
    search_t search;
    tlm_taught_table_t table;

    tlm_line_typed(engine, &typed);
    tlm_passed_begin(engine, &typed);
    if (typed.length > TLM_WORD_LETTERS) {
        return 0;
    }
    moment = follow_line(engine);
    memset(&search, 0, sizeof search);
    search.engine = engine;
    search.typed = &typed;
    search.capacity = count;
    if (tlm_memory_of(engine) != 0) {
        tlm_taught_recall(engine, &typed, &no_range, &table);
        search.taught = &table;
    }
    memcpy(root->state, moment->state, sizeof root->state);
    memcpy(root->letters, typed.letters, sizeof root->letters);
    root->length = typed.length;
    root->cost = 0;
    expand(&search, 0, moment->context);
    while (search.steps < TLM_SPELLING_STEPS) {
        /* Costs only grow: a branch that is too dear now stays so. */
        while (search.branch_count > 0 && !can_be_found(&search, search.branches[search.branch_count - 1].cost)) {
            search.branch_count--;
        }
        if (search.branch_count == 0) {
            break;
        }
        advance(&search);
    }
    if (search.taught != 0) {
        offer_taught(&search);
    }
    for (uint8_t i = 0; i < search.found; i++) {
        tlm_passed_add(engine, search.found_key[i]);
    }
    return search.found;
}
