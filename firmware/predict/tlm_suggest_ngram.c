/* Suggestions of the n-gram kind: the followers of the last words, and the lexicon's words, in one list.
 * The cost of a word is the least of what docs/SPEC-ngram.md lists; ties go to the lower word index. */
#include "tlm_lexicon.h"
#include "tlm_line.h"
#include "tlm_list.h"
#include "tlm_ngram.h"
#include "tlm_passed.h"
#include "tlm_taught.h"

enum {
    UNKNOWN_MILLINATS = 1000     /* what an unknown word costs beside the back-off */
};

/* A word's score is its cost below 0, its order and place are its index. Costs are below 255 + 255 + (30 * 2000 + 30000) * 16 /
 * 1000 = 1,950. */
static void offer(const tlm_engine_t *engine, tlm_list_t *list, int32_t score, uint16_t word)
{
    tlm_list_offer(engine, list, score, word, word);
}

/* The followers among the words first..end-1; those in the table (0: there is none) are told their cost there. Returns the
 * back-off: what every other word costs beside its own cost. */
static uint16_t list_followers(const tlm_engine_t *engine, const int8_t *state, uint16_t first, uint16_t end,
                               tlm_taught_table_t *table, tlm_list_t *list)
{
    const tlm_ngram_t *ngram = tlm_model_of(engine)->ngram;
    tlm_followers_t followers;
    uint8_t count = 0;

    tlm_followers_start(ngram, tlm_language_of(engine), state, &followers);
    followers.first = (uint16_t)(TLM_FIRST_ROW + first);
    while (first < end && (count = tlm_followers_read(ngram, tlm_language_of(engine), &followers)) > 0) {
        for (uint8_t i = 0; i < count; i++) {
            const uint16_t word = (uint16_t)(followers.rows[i] - TLM_FIRST_ROW); /* of rows below the first: beyond every end */
            if (followers.rows[i] >= TLM_FIRST_ROW && word >= first && word < end) {
                tlm_taught_tell(table, followers.rows[i], followers.costs[i]);
                offer(engine, list, -(int32_t)followers.costs[i], word);
            }
        }
        if (followers.rows[count - 1] >= TLM_FIRST_ROW + end) {
            break;
        }
        if (table == 0 && list->count == list->capacity) {
            followers.most = (uint16_t)-list->best[list->count - 1].score; /* what costs more has no room */
        }
    }
    return (uint16_t)(followers.pair_backoff + followers.triple_backoff);
}

/* The words of one block, from `first` up to `end`. */
static void list_block(const tlm_engine_t *engine, uint16_t backoff, uint16_t first, uint16_t end, const tlm_cursor_t *near,
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
            offer(engine, list, -(backoff + lexicon->level_units[cursor.level - 1]), cursor.word);
        }
    } while (cursor.word + 1u < end && tlm_cursor_next(lexicon, tlm_language_of(engine), &cursor));
}

static void list_lexicon(const tlm_engine_t *engine, uint16_t backoff, uint16_t first, uint16_t end, const tlm_cursor_t *near,
                         tlm_list_t *list)
{
    const tlm_lexicon_t *lexicon = &tlm_model_of(engine)->lexicon;

    while (first < end) {
        const uint16_t block_end = tlm_lexicon_block_end(lexicon, first, end);
        const uint8_t level = tlm_lexicon_block_level(lexicon, tlm_language_of(engine), first);
        if (level <= lexicon->levels && tlm_list_has_room(list, -(backoff + lexicon->level_units[level - 1]), first)) {
            list_block(engine, backoff, first, block_end, near, list);
        }
        first = block_end;
    }
}

/* The words of the memory: likely by their uses alone, and a follower also above what it is as one. */
static void list_memory(const tlm_engine_t *engine, uint16_t backoff, const tlm_taught_table_t *table, tlm_list_t *list)
{
    for (uint8_t i = 0; i < TLM_TAUGHT_WORDS; i++) {
        const tlm_taught_t *word = &table->words[i];
        int32_t score;
        if (word->uses == 0) {
            continue;
        }
        score = tlm_score_add(-(int32_t)backoff, TLM_NGRAM_UNITS, tlm_taught_millinats(word) - UNKNOWN_MILLINATS);
        if (word->length != 0) {
            tlm_list_offer(engine, list, tlm_passed_score(engine, score, tlm_passed_key_of_code(word->code)), TLM_UNKNOWN_ORDER, i);
            continue;
        }
        if (word->at != TLM_NO_FOLLOWER) {
            const int32_t raised = tlm_score_add(-(word->at - 1), TLM_NGRAM_UNITS, tlm_taught_bonus(word));
            score = raised > score ? raised : score;
        }
        offer(engine, list, score, (uint16_t)(word->code - TLM_FIRST_ROW));
    }
}

int tlm_suggest_ngram(tlm_engine_t *engine, uint8_t count)
{
    const tlm_lexicon_t *lexicon = &tlm_model_of(engine)->lexicon;
    tlm_typed_t typed;
    tlm_range_t range;
    tlm_list_t list;
    tlm_taught_table_t table;
    uint16_t backoff;
    tlm_cursor_t cursor;
    uint8_t written = 0;

    tlm_list_begin(&list, count);
    tlm_line_typed(engine, &typed);
    tlm_passed_begin(engine, &typed);
    if (typed.length > TLM_WORD_LETTERS) {
        return 0;
    }
    range = tlm_lexicon_range(lexicon, tlm_language_of(engine), typed.letters, typed.length, &cursor);
    if (range.prefix_level != TLM_NO_LEVEL) { /* the word already typed is not offered */
        range.first++;
    }
    if (range.first >= range.end && tlm_memory_of(engine) == 0) {
        return 0;
    }
    if (tlm_memory_of(engine) != 0) {
        tlm_taught_recall(engine, &typed, &range, &table);
    }
    backoff = list_followers(engine, tlm_line_follow(engine, tlm_lexicon_number)->state, range.first, range.end,
                             tlm_memory_of(engine) != 0 ? &table : 0, &list);
    list_lexicon(engine, backoff, range.first, range.end, &cursor, &list);
    if (tlm_memory_of(engine) != 0) {
        list_memory(engine, backoff, &table, &list);
    }
    tlm_passed_show(engine, &list, &table);
    for (uint8_t n = 0; n < list.count; n++) {
        const uint8_t i = TLM_SMALL ? n : tlm_list_next(&list, written); /* what lies near is read on the way */
        written = (uint8_t)(written | 1u << i);
        if (list.best[i].order == TLM_UNKNOWN_ORDER) {
            tlm_taught_write(engine, i, &typed, &table.words[list.best[i].place]);
            continue;
        }
        tlm_cursor_seek(lexicon, tlm_language_of(engine), list.best[i].place, &cursor);
        tlm_suggestion_write(engine, i, &typed, cursor.letters, cursor.length, cursor.capitals);
    }
    return list.count;
}
