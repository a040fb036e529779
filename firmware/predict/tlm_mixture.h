/* What a mixture's moment has behind the network's state: the n-gram's, then the logarithm of the sum of all rows.
 * docs/SPEC-mixture.md has the rule. For generated code and the engine's own files. */
#ifndef TLM_MIXTURE_H
#define TLM_MIXTURE_H

#include "tlm_ngram.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TLM_NOT_SUMMED INT32_MIN

/* One word further, which has that number (docs/SPEC-mixture.md). `part` is the place behind the network's state. */
void tlm_mixture_step(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t number, int8_t *part);

/* The sum, or TLM_NOT_SUMMED. */
int32_t tlm_mixture_sum(const int8_t *part);

void tlm_mixture_keep(int8_t *part, int32_t sum);

#ifdef __cplusplus
}
#endif
#endif
