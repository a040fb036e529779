/* The operators of a step graph, equal bit for bit to TensorFlow Lite Micro's int8 kernels.
 *
 * Knows int8 vectors in RAM and constants in flash; knows nothing of words. Generated code (model.c) holds the constants and
 * calls these functions; nothing here checks its arguments, the generator did (tinylm/graph.py).
 *
 * The formulas are not TensorFlow Lite's, which round two to four times in 64 bits, but cheaper ones that the generator holds
 * against those on every input there is (tinylm/forms.py). Where it finds none, model.c calls tlm_exact.h instead.
 * The functions of one element are inline, so that a generated loop over the state is one loop, its constants known.
 */
#ifndef TLM_LAYERS_H
#define TLM_LAYERS_H

#include <stdint.h>

#include "tlm_high.h"
#include "tlm_offset.h"
#include "tlm_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A weight matrix with biases: int8 or 4 bits a weight, outputs x inputs, in the board's layout. */
typedef struct {
    tlm_offset_t weights; /* in the language */
    tlm_offset_t biases; /* in the language; each is a signed integer of bias_bytes, times 2^bias_shift */
    uint16_t inputs;     /* at most 4096: |W x| <= 2^14 * 4096 = 2^26 */
    uint16_t outputs;
    uint8_t bias_bytes;  /* 0 (no biases), 1, 2 or 4; in layout octets 3 or 4 */
    uint8_t bias_shift;  /* |bias| < 2^30 after the shift, so bias + W x fits 32 bits */
} tlm_dense_t;

/* A sum of a layer as its int8 output: v = (sum << left) * factor / 2^32 rounded down, y = clamp((v + add) >> shift). */
typedef struct {
    int32_t factor;
    int32_t add;         /* where v >= 0 */
    int32_t add_below;   /* where v < 0 */
    uint8_t shift, left; /* left: no sum of the layer leaves 32 bits */
    int8_t least;        /* -128, or the zero point where a RELU follows */
} tlm_rescale_t;

/* ADD and SUB: y = clamp((by_a * a + by_b * b + add) >> shift). The factors have 24 bits, and no partial sum
 * leaves 32. */
typedef struct {
    int32_t by_a, by_b, add;
    uint8_t shift;
    int8_t least;
} tlm_sum_t;

/* MUL: v = factor * (a - zero_a) (b - zero_b) / 2^16 rounded down, y = clamp((v + add) >> shift). */
typedef struct {
    int32_t factor, add, add_below;
    uint8_t shift;
    int8_t zero_a, zero_b, least;
} tlm_product_t;

#ifndef TLM_OWN_RUNS /* else tlm_high.h has these */
/* y + factor * x; |factor| < 2^23. */
static inline int32_t tlm_plus_times(int32_t y, int32_t factor, int8_t x) { return y + factor * x; }

/* (a - zero_a) (b - zero_b), which is below 2^15. */
static inline int16_t tlm_offset_product(int8_t a, int8_t zero_a, int8_t b, int8_t zero_b)
{
    return (int16_t)((int16_t)(a - zero_a) * (int16_t)(b - zero_b));
}

/* factor * x / 2^16, rounded down, and one of two numbers more, by its sign; factor >= 0, |x| < 2^15. */
static inline int32_t tlm_scaled(int32_t factor, int16_t x, int32_t add, int32_t add_below)
{
    const int32_t v = tlm_times_high(factor, x);
    return v + (v < 0 ? add_below : add);
}
#endif

#ifdef TLM_OWN_ELEMENTS /* a port with little flash has them once */
int8_t tlm_rescale(const tlm_rescale_t *by, int32_t sum);
int8_t tlm_sum(const tlm_sum_t *sum, int8_t a, int8_t b);
int8_t tlm_product(const tlm_product_t *by, int8_t a, int8_t b);
#else
static inline int8_t tlm_rescale(const tlm_rescale_t *by, int32_t sum)
{
    const int32_t v = tlm_high(tlm_up(sum, by->left), by->factor);
    return tlm_clamp(tlm_down(v + (v < 0 ? by->add_below : by->add), by->shift), by->least);
}

static inline int8_t tlm_sum(const tlm_sum_t *sum, int8_t a, int8_t b)
{
    const int32_t v = tlm_plus_times(tlm_plus_times(sum->add, sum->by_a, a), sum->by_b, b);
    return tlm_clamp(tlm_down(v, sum->shift), sum->least);
}

static inline int8_t tlm_product(const tlm_product_t *by, int8_t a, int8_t b)
{
    const int16_t product = tlm_offset_product(a, by->zero_a, b, by->zero_b);
    const int32_t v = tlm_scaled(by->factor, product, by->add, by->add_below);
    return tlm_clamp(tlm_down(v, by->shift), by->least);
}
#endif

/* LOGISTIC or TANH: 256 bytes for x = -128..127 at `table`. */
static inline int8_t tlm_lookup(tlm_flash_t table, int8_t x)
{
    return (int8_t)tlm_flash_u8(table + (uint8_t)(x + 128));
}

/* sums[0..count-1] += the biases at `at`, each a signed integer of `bytes` bytes times 2^shift. */
#ifdef TLM_OWN_RUNS /* a port may have this, tlm_dense_sums and tlm_rescale_run of its own */
void tlm_biases_add(tlm_flash_t at, uint8_t bytes, uint8_t shift, uint16_t count, int32_t *sums);
#else
static inline void tlm_biases_add(tlm_flash_t at, uint8_t bytes, uint8_t shift, uint16_t count, int32_t *sums)
{
    for (uint16_t i = 0; i < count; i++, at += bytes) {
        uint32_t bits;
        if (bytes == 1) {
            bits = (uint32_t)(int32_t)(int8_t)tlm_flash_u8(at);
        } else if (bytes == 2) {
            bits = (uint32_t)(int32_t)(int16_t)tlm_flash_u16(at);
        } else {
            bits = tlm_flash_u32(at);
        }
        sums[i] += (int32_t)(bits << shift);
    }
}
#endif

/* Sums of rows first..first+count-1, bias included, into sums[0..count-1]. */
typedef void tlm_sums_t(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                        int32_t *sums);
tlm_sums_t tlm_dense_sums;      /* of int8 weights */
tlm_sums_t tlm_dense_sums_int4; /* of weights of 4 bits */

/* y[0..count-1] of sums[0..count-1]. */
void tlm_rescale_run(const tlm_rescale_t *by, const int32_t *sums, uint16_t count, int8_t *y);

/* FULLY_CONNECTED: y[0..outputs-1] of x[0..inputs-1]. y must not overlap x. */
void tlm_dense_run(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_rescale_t *by,
                   const int8_t *x, int8_t *y);

/* to[0..size-1] = from[0..size-1]. */
void tlm_copy(const int8_t *from, uint16_t size, int8_t *to);

/* to[0..size-1] = value. */
void tlm_fill(int8_t *to, uint16_t size, int8_t value);

/* y[i] = table[row][i] for i < size: a GATHER from an int8 table that no layer multiplies (others: tlm_dot.h). */
void tlm_row(tlm_flash_t table, uint16_t size, uint16_t row, int8_t *y);

/* A network that sees its last ids keeps them at the start of its state, two bytes each, the newest last. */
void tlm_window_push(int8_t *state, uint16_t ids, uint16_t id);

static inline uint16_t tlm_window_id(const int8_t *state, uint16_t i)
{
    return (uint16_t)((uint8_t)state[2 * i] | ((uint16_t)(uint8_t)state[2 * i + 1] << 8));
}

#ifndef TLM_CHUNK_ROWS    /* a port with little RAM may say 1 */
#define TLM_CHUNK_ROWS 128 /* summed at once by tlm_dense_run: 512 bytes of stack; a multiple of 8 */
#endif

#ifdef __cplusplus
}
#endif
#endif
