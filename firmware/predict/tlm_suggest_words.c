/* Suggestions of the word kind: the network's rows and the lexicon's words in one list (docs/DESIGN.md, the mixture). */
#include "tlm_lexicon.h"
#include "tlm_line.h"

enum {
    CHUNK_ROWS = 32 /* scored at once: 128 bytes of stack */
};

typedef struct {
    int32_t score;
    uint32_t order;  /* orders ties by word index: see row_order and word_order */
    uint16_t place;  /* its row, or its word index */
} candidate_t;

/* The best so far, best first. */
typedef struct {
    uint8_t count, capacity;
    candidate_t best[TLM_MAX_SUGGESTIONS];
} list_t;

/* A lexicon-only word stands before the row of the next level-0 word, which its cursor knows. So the order of the words
 * needs no word index of a row, for which the lexicon would have to be read. */
static uint32_t row_order(uint16_t row) { return 2u * (uint32_t)row + 1u; }
static uint32_t word_order(uint16_t next_row) { return 2u * (uint32_t)next_row; }
static bool is_row(const candidate_t *candidate) { return (candidate->order & 1u) != 0; }

static bool can_enter(const list_t *list, int32_t score)
{
    return list->count < list->capacity || score >= list->best[list->count - 1].score;
}

/* Equal in score and order are only lexicon words, and they come in the order of their index. */
static void insert(list_t *list, int32_t score, uint32_t order, uint16_t place)
{
    uint8_t i = list->count;

    while (i > 0 && (score > list->best[i - 1].score ||
                     (score == list->best[i - 1].score && order < list->best[i - 1].order))) {
        if (i < list->capacity) {
            list->best[i] = list->best[i - 1];
        }
        i--;
    }
    if (i < list->capacity) {
        const candidate_t candidate = {score, order, place};
        list->best[i] = candidate;
        if (list->count < list->capacity) {
            list->count++;
        }
    }
}

static void list_rows(const tlm_engine_t *engine, const int8_t *context, uint16_t first, uint16_t end, list_t *list)
{
    int32_t scores[CHUNK_ROWS];

    while (first < end) {
        const uint16_t count = end - first < CHUNK_ROWS ? (uint16_t)(end - first) : (uint16_t)CHUNK_ROWS;
        engine->model->network.score(engine->language, context, first, count, scores);
        for (uint16_t i = 0; i < count; i++) {
            if (can_enter(list, scores[i])) {
                const uint16_t row = (uint16_t)(first + i);
                insert(list, scores[i], row_order(row), row);
            }
        }
        first = (uint16_t)(first + count);
    }
}

/* score(unknown) + units_per_nat * millinats / 1000 as C divides, in 32 bits: quotient and remainder have one sign, so
 * that truncating the remainder's part alone truncates the whole. |millinats| < 2^19, units <= 2,000,000: both products
 * are below 2^31, and the sum is (score within 2^30) when |millinats / 1000| * units is within 2^30: 524 * 2 * 10^6 is. */
static int32_t level_score(const tlm_model_t *model, int32_t unknown, uint8_t level)
{
    const int32_t units = model->network.units_per_nat;
    const int32_t millinats =
        model->lexicon.top_millinats - (int32_t)(level - 1) * (int32_t)model->lexicon.level_millinats;

    return unknown + units * (millinats / 1000) + units * (millinats % 1000) / 1000;
}

/* The words of one block, from the cursor's word up to `end`. */
static void list_block(const tlm_engine_t *engine, const int32_t *scores, uint16_t first, uint16_t end, list_t *list)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    tlm_cursor_t cursor;

    tlm_cursor_seek(lexicon, engine->language, first, &cursor);
    do {
        if (cursor.level != 0 && can_enter(list, scores[cursor.level & (TLM_LEVELS - 1u)])) {
            insert(list, scores[cursor.level & (TLM_LEVELS - 1u)], word_order(cursor.row), cursor.word);
        }
    } while (cursor.word + 1u < end && tlm_cursor_next(lexicon, engine->language, &cursor));
}

static void list_lexicon(const tlm_engine_t *engine, const int8_t *context, uint16_t first, uint16_t end, list_t *list)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    int32_t unknown;
    int32_t scores[TLM_LEVELS];

    engine->model->network.score(engine->language, context, TLM_ROW_UNKNOWN, 1, &unknown);
    for (uint8_t level = 1; level < TLM_LEVELS; level++) {
        scores[level] = level_score(engine->model, unknown, level);
    }
    while (first < end) {
        const uint32_t next = ((uint32_t)first / lexicon->block_words + 1u) * lexicon->block_words;
        const uint16_t block_end = next < end ? (uint16_t)next : end;
        const uint8_t level = tlm_lexicon_block_level(lexicon, engine->language, first);
        if (level < TLM_LEVELS && can_enter(list, scores[level])) {
            list_block(engine, scores, first, block_end, list);
        }
        first = block_end;
    }
}

static void write_list(tlm_engine_t *engine, const tlm_typed_t *typed, const list_t *list)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    tlm_cursor_t cursor;

    for (uint8_t i = 0; i < list->count; i++) {
        if (is_row(&list->best[i])) {
            tlm_cursor_seek_row(lexicon, engine->language, list->best[i].place, &cursor);
        } else {
            tlm_cursor_seek(lexicon, engine->language, list->best[i].place, &cursor);
        }
        tlm_suggestion_write(engine, i, typed, cursor.letters, cursor.length);
    }
}

int tlm_suggest_words(tlm_engine_t *engine, uint8_t count)
{
    const tlm_typed_t typed = tlm_line_typed(engine);
    tlm_range_t range;
    list_t list = {0, count, {{0, 0, 0}}};
    const int8_t *context;

    if (typed.length > TLM_WORD_LETTERS) {
        return 0;
    }
    range = tlm_lexicon_range(&engine->model->lexicon, engine->language, typed.letters, typed.length);
    if (range.prefix_level != TLM_NO_LEVEL) { /* the word already typed is not offered */
        range.first++;
        range.first_row = (uint16_t)(range.first_row + (range.prefix_level == 0 ? 1 : 0));
    }
    if (range.first >= range.end) {
        return 0;
    }
    context = tlm_line_follow(engine, tlm_lexicon_row)->context;
    list_rows(engine, context, range.first_row, range.end_row, &list);
    if (typed.length > 0) { /* before the first letter only rows compete */
        list_lexicon(engine, context, range.first, range.end, &list);
    }
    write_list(engine, &typed, &list);
    return list.count;
}
