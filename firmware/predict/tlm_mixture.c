#include "tlm_mixture.h"

#include <string.h>

void tlm_mixture_step(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t number, int8_t *part)
{
    tlm_ngram_step(ngram, language, number, part);
    tlm_mixture_keep(part, TLM_NOT_SUMMED);
}

int32_t tlm_mixture_sum(const int8_t *part)
{
    int32_t sum;

    memcpy(&sum, part + TLM_NGRAM_STATE_BYTES, sizeof sum);
    return sum;
}

void tlm_mixture_keep(int8_t *part, int32_t sum) { memcpy(part + TLM_NGRAM_STATE_BYTES, &sum, sizeof sum); }
