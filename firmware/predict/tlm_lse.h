/* Sums of probabilities that are known by their logarithms: log-sum-exp in 32 bits, the same on every chip.
 * docs/SPEC-mixture.md has the rule, and tests/predict_model.py is the second implementation. */
#ifndef TLM_LSE_H
#define TLM_LSE_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_HALF_POWERS = 16
};

/* 2^15 * 2^(-i/16), rounded. */
extern const uint16_t tlm_half_powers[TLM_HALF_POWERS];

/* 2^15 * 2^(-sixteenths/16), truncated; `sixteenths` is below 512. */
static inline uint32_t tlm_half_power(uint32_t sixteenths)
{
    return (uint32_t)tlm_half_powers[sixteenths & (TLM_HALF_POWERS - 1u)] >> (sixteenths / TLM_HALF_POWERS);
}

/* The sum so far is exp(best) * sum / 2^15. At most 65,535 scores: below 2^31. */
typedef struct {
    int32_t best;              /* the largest score, in units_per_nat */
    uint32_t sum;              /* 2^15 or more, 0 when nothing was added */
    uint32_t limit;            /* a score so far below the best adds nothing: 12 nats */
    int32_t units_per_nat;
    uint32_t factor;           /* of a score's distance >> shift: 16ths of a power of two, in 2^-16 */
    uint8_t shift;
} tlm_lse_t;

/* Nothing is added yet. units_per_nat is 1..TLM_MAX_UNITS. */
void tlm_lse_start(tlm_lse_t *lse, int32_t units_per_nat);

/* Add scores. */
void tlm_lse_add(tlm_lse_t *lse, const int32_t *scores, uint16_t count);

/* The logarithm of the sum, as a score. Something was added. */
int32_t tlm_lse_value(const tlm_lse_t *lse);

#ifdef __cplusplus
}
#endif
#endif
