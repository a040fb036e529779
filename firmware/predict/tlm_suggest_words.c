/* Suggestions of the word kind: the network's rows and the lexicon's words in one list (docs/DESIGN.md). */
#include "tlm_passed.h"
#include "tlm_words.h"

static bool score_of(const tlm_engine_t *engine, const int8_t *context, const tlm_taught_t *word, const void *more,
                     int32_t *score)
{
    const uint32_t rows = (uint32_t)TLM_FIRST_ROW + tlm_model_of(engine)->lexicon.rows;

    (void)more;
    if (word->code >= rows) {
        return false;
    }
    tlm_model_of(engine)->network.score(tlm_language_of(engine), context, (uint16_t)word->code, 1, score);
    return true;
}

int tlm_suggest_words(tlm_engine_t *engine, uint8_t count)
{
    tlm_typed_t typed;
    tlm_range_t range;
    tlm_list_t list;
    tlm_taught_table_t table;
    tlm_cursor_t cursor;
    const int8_t *context;

    tlm_list_begin(&list, count);
    tlm_line_typed(engine, &typed);
    tlm_passed_begin(engine, &typed);
    if (!tlm_words_range(engine, &typed, &range, &cursor)) {
        return 0;
    }
    context = tlm_line_follow(engine, tlm_lexicon_row)->context;
    tlm_words_list_rows(engine, context, range.first_row, range.end_row, &list);
    if (typed.length > 0 && range.first < range.end) { /* before the first letter only rows compete */
        tlm_words_list_lexicon(engine, context, &range, &cursor, &list);
    }
    if (tlm_memory_of(engine) != 0) {
        tlm_taught_recall(engine, &typed, &range, &table);
        tlm_words_list_memory(engine, context, &table, score_of, 0, &list);
    }
    tlm_words_write(engine, &typed, &list, &table, &cursor);
    return list.count;
}
