#include "tlm_words.h"

#include "tlm_passed.h"

static tlm_order_t word_order(uint16_t next_row) { return (tlm_order_t)(2u * (tlm_order_t)next_row); }
/* A lexicon-only word that was raised comes after all others of its score, and a word of the memory alone after that; its place
 * is in the table. */
static const tlm_order_t RAISED_ORDER = (tlm_order_t)(TLM_UNKNOWN_ORDER - 1u);
static bool is_row(const tlm_candidate_t *candidate) { return (candidate->order & 1u) != 0; }

bool tlm_words_range(const tlm_engine_t *engine, const tlm_typed_t *typed, tlm_range_t *range, tlm_cursor_t *cursor)
{
    if (typed->length > TLM_WORD_LETTERS) {
        return false;
    }
    *range = tlm_lexicon_range(&tlm_model_of(engine)->lexicon, tlm_language_of(engine), typed->letters, typed->length, cursor);
    if (range->prefix_level != TLM_NO_LEVEL) { /* the word already typed is not offered */
        range->first++;
        range->first_row = (uint16_t)(range->first_row + (range->prefix_level == 0 ? 1 : 0));
    }
    return range->first < range->end || tlm_memory_of(engine) != 0;
}

void tlm_words_offer_rows(const tlm_engine_t *engine, int32_t *scores, uint16_t first, uint8_t count, tlm_list_t *list)
{
    int32_t *const end = scores + count;
    const int32_t *score = scores;
    int32_t least = tlm_list_least(list);

    *end = INT32_MAX; /* no score is as high */
    for (;; score++) {
        uint16_t row;
        score = tlm_list_pass(score, least);
        if (score == end) {
            return;
        }
        row = (uint16_t)(first + (uint16_t)(score - scores));
        if (row >= TLM_FIRST_ROW) {
            tlm_list_offer(engine, list, *score, tlm_row_order(row), row);
            least = tlm_list_least(list);
        }
    }
}

void tlm_words_list_rows(const tlm_engine_t *engine, const int8_t *context, uint16_t first, uint16_t end, tlm_list_t *list)
{
    int32_t scores[TLM_LISTED_ROWS + 1];

    while (first < end) {
        const uint8_t count = tlm_listed_rows(first, end);
        tlm_model_of(engine)->network.score(tlm_language_of(engine), context, first, count, scores);
        if (TLM_SMALL) { /* one row */
            tlm_list_offer(engine, list, scores[0], tlm_row_order(first), first);
        } else {
            tlm_words_offer_rows(engine, scores, first, count, list);
        }
        first = (uint16_t)(first + count);
    }
}

/* The words of one block, from word `first` up to `end`. The sums are within 2^31: a score is within 2^30. */
static void list_block(const tlm_engine_t *engine, int32_t unknown, uint16_t first, uint16_t end, const tlm_cursor_t *near,
                       tlm_list_t *list)
{
    const tlm_lexicon_t *lexicon = &tlm_model_of(engine)->lexicon;
    tlm_cursor_t cursor;

    if (!TLM_SMALL) { /* there each seek begins with its block */
        cursor = *near;
    }
    tlm_cursor_seek(lexicon, tlm_language_of(engine), first, &cursor);
    do {
        if (cursor.level != 0 && cursor.level <= lexicon->levels) {
            const int32_t score = unknown + lexicon->level_units[cursor.level - 1];
            tlm_list_offer(engine, list, score, word_order(cursor.row), cursor.word);
        }
    } while (cursor.word + 1u < end && tlm_cursor_next(lexicon, tlm_language_of(engine), &cursor));
}

void tlm_words_list_lexicon(const tlm_engine_t *engine, const int8_t *context, const tlm_range_t *range, const tlm_cursor_t *near,
                            tlm_list_t *list)
{
    const tlm_lexicon_t *lexicon = &tlm_model_of(engine)->lexicon;
    uint16_t first = range->first;
    int32_t unknown;

    tlm_model_of(engine)->network.score(tlm_language_of(engine), context, TLM_ROW_UNKNOWN, 1, &unknown);
    while (first < range->end) {
        const uint16_t block_end = tlm_lexicon_block_end(lexicon, first, range->end);
        const uint8_t level = tlm_lexicon_block_level(lexicon, tlm_language_of(engine), first);
        if (level <= lexicon->levels && tlm_list_has_room(list, unknown + lexicon->level_units[level - 1], 0)) {
            list_block(engine, unknown, first, block_end, near, list);
        }
        first = block_end;
    }
}

void tlm_words_raise(const tlm_engine_t *engine, tlm_list_t *list, int32_t score, uint16_t index)
{
    uint8_t i = 0;

    while (i < list->count && (is_row(&list->best[i]) || list->best[i].place != index)) {
        i++;
    }
    if (i < list->count) {
        if (list->best[i].score >= tlm_passed_score(engine, score, tlm_passed_key(RAISED_ORDER, index))) {
            return;
        }
        for (list->count--; i < list->count; i++) {
            list->best[i] = list->best[i + 1];
        }
    }
    tlm_list_offer(engine, list, score, RAISED_ORDER, index);
}

void tlm_words_list_memory(const tlm_engine_t *engine, const int8_t *context, const tlm_taught_table_t *table,
                           tlm_words_score_t *score_of, const void *more, tlm_list_t *list)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;
    const uint32_t plain = (uint32_t)TLM_FIRST_ROW + tlm_model_of(engine)->lexicon.rows; /* codes of lexicon-only words */
    int32_t unknown;

    network->score(tlm_language_of(engine), context, TLM_ROW_UNKNOWN, 1, &unknown);
    for (uint8_t i = 0; i < TLM_TAUGHT_WORDS; i++) {
        const tlm_taught_t *word = &table->words[i];
        int32_t score, raised;
        if (word->uses == 0) {
            continue;
        }
        score = tlm_score_add(unknown, network->units_per_nat, tlm_taught_millinats(word));
        if (word->length != 0) {
            tlm_list_offer(engine, list, tlm_passed_score(engine, score, tlm_passed_key_of_code(word->code)), TLM_UNKNOWN_ORDER, i);
            continue;
        }
        if (score_of(engine, context, word, more, &raised)) {
            raised = tlm_score_add(raised, network->units_per_nat, tlm_taught_bonus(word));
            score = raised > score ? raised : score;
        }
        if (word->code >= plain) {
            tlm_words_raise(engine, list, score, (uint16_t)(word->code - plain));
        } else {
            tlm_list_offer(engine, list, score, tlm_row_order((uint16_t)word->code), (uint16_t)word->code);
        }
    }
}

void tlm_words_write(tlm_engine_t *engine, const tlm_typed_t *typed, const tlm_list_t *list, const tlm_taught_table_t *table,
                     tlm_cursor_t *cursor)
{
    const tlm_lexicon_t *lexicon = &tlm_model_of(engine)->lexicon;
    uint8_t written = 0;

    if (!TLM_SMALL) {
        tlm_passed_show(engine, list, table);
    }
    for (uint8_t n = 0; n < list->count; n++) {
        const uint8_t i = TLM_SMALL ? n : tlm_list_next(list, written); /* what lies near is read on the way */
        written = (uint8_t)(written | 1u << i);
        if (TLM_SMALL) { /* in the same order, as i is n */
            tlm_passed_add(engine, tlm_passed_key(list->best[i].order, list->best[i].place));
        }
        if (!TLM_SMALL && list->best[i].order == TLM_UNKNOWN_ORDER) {
            tlm_taught_write(engine, i, typed, &table->words[list->best[i].place]);
            continue;
        }
        if (is_row(&list->best[i])) {
            tlm_cursor_seek_row(lexicon, tlm_language_of(engine), list->best[i].place, cursor);
        } else {
            tlm_cursor_seek(lexicon, tlm_language_of(engine), list->best[i].place, cursor);
        }
        tlm_suggestion_write(engine, i, typed, cursor->letters, cursor->length, cursor->capitals);
    }
}
