/* Words that were shown for the word being typed and not taken. Who looked at them wants another one, so they lose score in the
 * lists that follow. For the engine's own files. docs/SPEC-passed.md has the rule and what it is worth. */
#ifndef TLM_PASSED_H
#define TLM_PASSED_H

#include "tlm_list.h"
#include "tlm_taught.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list for the typed letters begins, empty. Words of another word's lists are forgotten, and those that were first shown for
 * these letters or more. */
void tlm_passed_begin(tlm_engine_t *engine, const tlm_typed_t *typed);

/* The list is shown; `table` has its words of the memory alone. */
void tlm_passed_show(tlm_engine_t *engine, const tlm_list_t *list, const tlm_taught_table_t *table);

/* The word that is known by that key is shown. */
void tlm_passed_add(tlm_engine_t *engine, tlm_order_t key);

/* Forget the words that were first shown when the line had `line_bytes` bytes or more. */
void tlm_passed_drop(tlm_engine_t *engine, uint16_t line_bytes);

#ifdef __cplusplus
}
#endif
#endif
