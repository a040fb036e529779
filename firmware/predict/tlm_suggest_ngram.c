/* Suggestions of the n-gram kind: the followers of the last words, and the lexicon's words, in one list.
 * The cost of a word is the least of what docs/SPEC-ngram.md lists; ties go to the lower word index. */
#include "tlm_lexicon.h"
#include "tlm_line.h"
#include "tlm_ngram.h"

typedef struct {
    uint16_t cost;  /* below 255 + 255 + (30 * 2000 + 30000) * 16 / 1000 = 1,950 */
    uint16_t word;  /* index */
} candidate_t;

/* The best so far, best first; no word twice. */
typedef struct {
    uint8_t count, capacity;
    candidate_t best[TLM_MAX_SUGGESTIONS];
} list_t;

static bool is_better(uint16_t cost, uint16_t word, const candidate_t *than)
{
    return cost < than->cost || (cost == than->cost && word < than->word);
}

/* Whether a word of index `word` or more may enter at that cost. */
static bool can_enter(const list_t *list, uint16_t cost, uint16_t word)
{
    return list->count < list->capacity || is_better(cost, word, &list->best[list->count - 1]);
}

/* The word may be in the list at another cost: the lower one counts. */
static void offer(list_t *list, uint16_t cost, uint16_t word)
{
    const candidate_t candidate = {cost, word};
    uint8_t place = 0;

    if (!can_enter(list, cost, word)) {
        return;
    }
    while (place < list->count && list->best[place].word != word) {
        place++;
    }
    if (place < list->count && list->best[place].cost <= cost) {
        return;
    }
    /* What is at `place` goes: the word's dearer self, nothing, or the last of a full list. */
    if (place == list->count) {
        if (list->count < list->capacity) {
            list->count++;
        } else {
            place--;
        }
    }
    for (; place > 0 && is_better(cost, word, &list->best[place - 1]); place--) {
        list->best[place] = list->best[place - 1];
    }
    list->best[place] = candidate;
}

/* The followers among the words first..end-1. Returns the back-off: what every other word costs beside its own cost. */
static uint16_t list_followers(const tlm_engine_t *engine, const int8_t *state, uint16_t first, uint16_t end, list_t *list)
{
    tlm_followers_t followers;

    tlm_followers_start(state, &followers);
    while (tlm_followers_next(engine->model->ngram, engine->language, &followers)) {
        const uint16_t word = (uint16_t)(followers.row - TLM_FIRST_ROW); /* of rows below the first: beyond every end */
        if (followers.row >= TLM_FIRST_ROW && word >= end) {
            break;
        }
        if (followers.row >= TLM_FIRST_ROW && word >= first) {
            offer(list, followers.cost, word);
        }
    }
    return (uint16_t)(followers.pair_backoff + followers.triple_backoff);
}

/* costs[level] of a word of that level, levels 1.. */
static void cost_levels(const tlm_lexicon_t *lexicon, uint16_t backoff, uint16_t *costs)
{
    int32_t millinats = -(int32_t)lexicon->top_millinats; /* 0..30,000, by 0..2,000 a level */

    for (uint8_t level = 1; level < TLM_LEVELS; level++) {
        costs[level] = (uint16_t)(backoff + (uint16_t)(millinats * TLM_NGRAM_UNITS / 1000));
        millinats += lexicon->level_millinats;
    }
}

/* The words of one block, from `first` up to `end`. */
static void list_block(const tlm_engine_t *engine, const uint16_t *costs, uint16_t first, uint16_t end, list_t *list)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    tlm_cursor_t cursor;

    tlm_cursor_seek(lexicon, engine->language, first, &cursor);
    do {
        if (cursor.level != 0) {
            offer(list, costs[cursor.level & (TLM_LEVELS - 1u)], cursor.word);
        }
    } while (cursor.word + 1u < end && tlm_cursor_next(lexicon, engine->language, &cursor));
}

static void list_lexicon(const tlm_engine_t *engine, uint16_t backoff, uint16_t first, uint16_t end, list_t *list)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    uint16_t costs[TLM_LEVELS];

    cost_levels(lexicon, backoff, costs);
    while (first < end) {
        const uint32_t next = ((uint32_t)first / lexicon->block_words + 1u) * lexicon->block_words;
        const uint16_t block_end = next < end ? (uint16_t)next : end;
        const uint8_t level = tlm_lexicon_block_level(lexicon, engine->language, first);
        if (level < TLM_LEVELS && can_enter(list, costs[level], first)) {
            list_block(engine, costs, first, block_end, list);
        }
        first = block_end;
    }
}

int tlm_suggest_ngram(tlm_engine_t *engine, uint8_t count)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    const tlm_typed_t typed = tlm_line_typed(engine);
    tlm_range_t range;
    list_t list = {0, count, {{0, 0}}};
    uint16_t backoff;
    tlm_cursor_t cursor;

    if (typed.length > TLM_WORD_LETTERS) {
        return 0;
    }
    range = tlm_lexicon_range(lexicon, engine->language, typed.letters, typed.length);
    if (range.prefix_level != TLM_NO_LEVEL) { /* the word already typed is not offered */
        range.first++;
    }
    if (range.first >= range.end) {
        return 0;
    }
    backoff = list_followers(engine, tlm_line_follow(engine, tlm_lexicon_number)->state, range.first, range.end, &list);
    list_lexicon(engine, backoff, range.first, range.end, &list);
    for (uint8_t i = 0; i < list.count; i++) {
        tlm_cursor_seek(lexicon, engine->language, list.best[i].word, &cursor);
        tlm_suggestion_write(engine, i, &typed, cursor.letters, cursor.length);
    }
    return list.count;
}
