/* TensorFlow Lite's own arithmetic, step by step: for operators that have no cheaper form (tlm_layers.h), and for layers that
 * are quantized row by row (per channel). */
#ifndef TLM_EXACT_H
#define TLM_EXACT_H

#include "tlm_layers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A real factor as multiplier * 2^(shift - 31); multiplier is 0 or in 2^30..2^31-1. */
typedef struct {
    int32_t multiplier;
    int8_t shift;
} tlm_factor_t;

/* y = clamp(factor * sum + zero). */
typedef struct {
    tlm_factor_t factor;
    int8_t zero;         /* the output's zero point */
    int8_t least;        /* -128, or the zero point where a RELU follows */
} tlm_rescale_exact_t;

/* ADD and SUB: y = clamp(factor * (factor_a (a - zero_a) 2^20 +- factor_b (b - zero_b) 2^20) + zero). Shifts are <= 0. */
typedef struct {
    tlm_factor_t factor_a, factor_b, factor;
    int8_t zero_a, zero_b, zero, least;
    int8_t sign;         /* 1 for ADD, -1 for SUB */
} tlm_sum_exact_t;

/* MUL: y = clamp(factor * (a - zero_a) (b - zero_b) + zero). */
typedef struct {
    tlm_factor_t factor;
    int8_t zero_a, zero_b, zero, least;
} tlm_product_exact_t;

int8_t tlm_rescale_exact(const tlm_rescale_exact_t *by, int32_t sum);
int8_t tlm_sum_exact(const tlm_sum_exact_t *sum, int8_t a, int8_t b);
int8_t tlm_product_exact(const tlm_product_exact_t *product, int8_t a, int8_t b);

/* A layer whose rows have a scale each. All are byte offsets in the language. */
typedef struct {
    tlm_offset_t multipliers; /* of tlm_factor_t, int32 each */
    tlm_offset_t shifts;      /* of tlm_factor_t, int8 each */
    tlm_offset_t units;       /* of the output layer: a row's unit over the largest, int32 in 2^-31 */
    int8_t zero, least;
} tlm_channels_t;

/* FULLY_CONNECTED, as tlm_dense_run. */
void tlm_dense_run_exact(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_rescale_exact_t *by,
                         const int8_t *x, int8_t *y);
void tlm_dense_run_channels(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_channels_t *by,
                            const int8_t *x, int8_t *y);

/* The output of one row's sum. */
int8_t tlm_rescale_channels(tlm_flash_t language, const tlm_channels_t *by, uint16_t row, int32_t sum);

/* Makes sums of the rows first..first+count-1 scores, all of one unit: each times its row's unit, rounded down. */
void tlm_score_channels(tlm_flash_t language, const tlm_channels_t *by, uint16_t first, uint16_t count, int32_t *scores);

#ifdef __cplusplus
}
#endif
#endif
