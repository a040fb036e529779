/* The arithmetic of a step graph: one function an operator, equal bit for bit to TensorFlow Lite Micro's int8 kernels.
 *
 * Knows int8 vectors in RAM and constants in flash; knows nothing of words. Generated code (model.c) holds the constants
 * below and calls these functions; nothing here checks its arguments, the generator did (tinylm/graph.py).
 */
#ifndef TLM_LAYERS_H
#define TLM_LAYERS_H

#include <stdint.h>

#include "tlm_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A real factor as multiplier * 2^(shift - 31); multiplier is 0 or in 2^30..2^31-1. */
typedef struct {
    int32_t multiplier;
    int8_t shift;
} tlm_factor_t;

/* FULLY_CONNECTED: y = clamp(factor * (W x + bias) + zero). W is int8, outputs x inputs, in the board's layout. */
typedef struct {
    uint32_t weights;    /* byte offset in the language */
    uint32_t biases;     /* byte offset; each is a signed integer of bias_bytes, times 2^bias_shift */
    uint16_t inputs;     /* at most 4096: |W x| <= 2^14 * 4096 = 2^26 */
    uint16_t outputs;
    uint8_t bias_bytes;  /* 0 (no biases), 1, 2 or 4 */
    uint8_t bias_shift;  /* |bias| < 2^30 after the shift, so bias + W x fits 32 bits */
    tlm_factor_t factor;
    int8_t zero;         /* the output's zero point */
    int8_t least;        /* -128, or the zero point where a RELU follows */
} tlm_dense_t;

/* ADD and SUB: y = clamp(factor * (factor_a (a - zero_a) 2^20 +- factor_b (b - zero_b) 2^20) + zero). Shifts are <= 0. */
typedef struct {
    tlm_factor_t factor_a, factor_b, factor;
    int8_t zero_a, zero_b, zero, least;
    int8_t sign;         /* 1 for ADD, -1 for SUB */
} tlm_sum_t;

/* MUL: y = clamp(factor * (a - zero_a) (b - zero_b) + zero). */
typedef struct {
    tlm_factor_t factor;
    int8_t zero_a, zero_b, zero, least;
} tlm_product_t;

/* Sums of rows first..first+count-1, bias included, into sums[0..count-1]. */
void tlm_dense_sums(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                    int32_t *sums);

/* A sum as the layer's int8 output. */
int8_t tlm_dense_output(const tlm_dense_t *layer, int32_t sum);

/* All outputs: y[0..outputs-1] of x[0..inputs-1]. y must not overlap x. */
void tlm_dense_run(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, int8_t *y);

/* GATHER: row `row` of a table of `size` bytes a row, at byte offset `table`. */
void tlm_gather(tlm_flash_t language, uint32_t table, uint16_t row, uint16_t size, int8_t *y);

/* ADD or SUB of a[0..size-1] and b[0..size-1]; y may be a or b. */
void tlm_sum_run(const tlm_sum_t *sum, const int8_t *a, const int8_t *b, uint16_t size, int8_t *y);

/* MUL; y may be a or b. */
void tlm_product_run(const tlm_product_t *product, const int8_t *a, const int8_t *b, uint16_t size, int8_t *y);

/* LOGISTIC or TANH: y[i] = table[x[i] + 128], 256 bytes at byte offset `table`; y may be x. */
void tlm_lookup(tlm_flash_t language, uint32_t table, const int8_t *x, uint16_t size, int8_t *y);

/* to[0..size-1] = from[0..size-1]. */
void tlm_copy(const int8_t *from, uint16_t size, int8_t *to);

#ifdef __cplusplus
}
#endif
#endif
