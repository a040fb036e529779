#include "tlm_passed.h"

void tlm_passed_begin(tlm_engine_t *engine, const tlm_typed_t *typed)
{
    tlm_passed_drop(engine, engine->line_bytes);
    if (engine->passed.line_bytes[0] < typed->start) { /* of another word, or there is none */
        engine->passed.count = 0;
    }
}

void tlm_passed_add(tlm_engine_t *engine, tlm_order_t key)
{
    tlm_passed_t *passed = &engine->passed;

    if (passed->count < TLM_PASSED_WORDS && !tlm_passed_has(engine, key)) {
        passed->keys[passed->count] = key;
        passed->line_bytes[passed->count] = engine->line_bytes;
        passed->count++;
    }
}

void tlm_passed_show(tlm_engine_t *engine, const tlm_list_t *list, const tlm_taught_table_t *table)
{
    for (uint8_t i = 0; i < list->count; i++) {
        const tlm_candidate_t *word = &list->best[i];
        tlm_passed_add(engine, !TLM_SMALL && word->order == TLM_UNKNOWN_ORDER ? tlm_passed_key_of_code(table->words[word->place].code)
                                                                            : tlm_passed_key(word->order, word->place));
    }
}

void tlm_passed_drop(tlm_engine_t *engine, uint16_t line_bytes)
{
    tlm_passed_t *passed = &engine->passed;

    while (passed->count > 0 && passed->line_bytes[passed->count - 1] >= line_bytes) {
        passed->count--;
    }
}
