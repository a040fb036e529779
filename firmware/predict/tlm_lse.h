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

/* The score becomes the best one. */
void tlm_lse_raise(tlm_lse_t *lse, int32_t score);

/* Where the power of two of a distance below `limit` is: 0..277. The product is below 2^25: factor is at most 2^16 * 16 /
 * ln 2 / (units >> shift), and the distance 12 * ((units >> shift) + 1). */
static inline uint32_t tlm_lse_sixteenths(const tlm_lse_t *lse, uint32_t distance)
{
    return (distance >> lse->shift) * lse->factor >> 16;
}

static inline void tlm_lse_add(tlm_lse_t *lse, int32_t score)
{
    const uint32_t distance = (uint32_t)lse->best - (uint32_t)score; /* unsigned: that of any two scores fits */

    if (score > lse->best) {
        tlm_lse_raise(lse, score);
    } else if (distance < lse->limit) {
        lse->sum += tlm_half_power(tlm_lse_sixteenths(lse, distance));
    }
}

/* The logarithm of the sum, as a score. Something was added. */
int32_t tlm_lse_value(const tlm_lse_t *lse);

#ifdef __cplusplus
}
#endif
#endif
