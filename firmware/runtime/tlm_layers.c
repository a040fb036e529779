/* Plain C99: normative. Right shifts of negative numbers are arithmetic on every compiler that tinylm knows. */
#include "tlm_layers.h"

#include "tlm_dot.h"

enum {
    SUM_LEFT_SHIFT = 20, /* TensorFlow Lite's headroom in ADD: 9 bits of difference, 20 of fraction */
    CHUNK_ROWS = 64      /* rows summed at once: 256 bytes of stack; a multiple of 4 */
};

/* (a * b + 2^30) >> 31: gemmlowp's SaturatingRoundingDoublingHighMul. It saturates for a = b = INT32_MIN alone, and b is a
 * multiplier, never negative. */
static int32_t high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1L << 30)) >> 31);
}

/* x / 2^exponent, halves away from zero: gemmlowp's RoundingDivideByPOT. 0 <= exponent <= 31. */
static int32_t rounding_shift(int32_t x, uint8_t exponent)
{
    if (exponent == 0) {
        return x;
    }
    uint32_t mask = ((uint32_t)1 << exponent) - 1U;
    uint32_t threshold = (mask >> 1) + (x < 0 ? 1U : 0U);
    return (x >> exponent) + (((uint32_t)x & mask) > threshold ? 1 : 0);
}

/* x * factor, rounded twice as TensorFlow Lite does: high multiply, then a rounding shift. A left shift wraps at 32 bits. */
static int32_t scale(int32_t x, tlm_factor_t factor)
{
    if (factor.shift > 0) {
        return high_multiply((int32_t)((uint32_t)x << factor.shift), factor.multiplier);
    }
    return rounding_shift(high_multiply(x, factor.multiplier), (uint8_t)-factor.shift);
}

/* x + zero, from least to 127; compared before the zero point is added, so nothing overflows whatever x is. */
static int8_t clamp(int32_t x, int8_t zero, int8_t least)
{
    int32_t low = (int32_t)least - zero;
    int32_t high = 127 - (int32_t)zero;
    x = x < low ? low : x;
    x = x > high ? high : x;
    return (int8_t)(x + zero);
}

static int32_t bias_of(tlm_flash_t language, const tlm_dense_t *layer, uint16_t row)
{
    uint32_t at = layer->biases;
    uint32_t bits;
    switch (layer->bias_bytes) {
    case 1:
        bits = (uint32_t)(int32_t)(int8_t)tlm_flash_u8(language + at + row);
        break;
    case 2:
        bits = (uint32_t)(int32_t)(int16_t)tlm_flash_u16(language + at + 2UL * row);
        break;
    default:
        bits = tlm_flash_u32(language + at + 4UL * row);
        break;
    }
    return (int32_t)(bits << layer->bias_shift);
}

void tlm_dense_sums(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                    int32_t *sums)
{
    tlm_dot_rows(language + layer->weights, layer->inputs, first, count, x, sums);
    for (uint16_t i = 0; layer->bias_bytes != 0 && i < count; i++) {
        sums[i] += bias_of(language, layer, (uint16_t)(first + i));
    }
}

int8_t tlm_dense_output(const tlm_dense_t *layer, int32_t sum)
{
    return clamp(scale(sum, layer->factor), layer->zero, layer->least);
}

void tlm_dense_run(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, int8_t *y)
{
    int32_t sums[CHUNK_ROWS];
    for (uint16_t first = 0; first < layer->outputs; first = (uint16_t)(first + CHUNK_ROWS)) {
        uint16_t left = (uint16_t)(layer->outputs - first);
        uint16_t count = left < CHUNK_ROWS ? left : (uint16_t)CHUNK_ROWS;
        tlm_dense_sums(language, layer, x, first, count, sums);
        for (uint16_t i = 0; i < count; i++) {
            y[first + i] = tlm_dense_output(layer, sums[i]);
        }
    }
}

void tlm_gather(tlm_flash_t language, uint32_t table, uint16_t row, uint16_t size, int8_t *y)
{
    tlm_flash_t at = language + (table + (uint32_t)row * size);
    for (uint16_t i = 0; i < size; i++) {
        y[i] = (int8_t)tlm_flash_u8(at + i);
    }
}

void tlm_sum_run(const tlm_sum_t *sum, const int8_t *a, const int8_t *b, uint16_t size, int8_t *y)
{
    for (uint16_t i = 0; i < size; i++) {
        /* |a - zero| < 2^8, shifted by 20: below 2^28. Both terms are scaled by at most 1/2: their sum is below 2^28. */
        int32_t term_a = scale((int32_t)(a[i] - sum->zero_a) * (1L << SUM_LEFT_SHIFT), sum->factor_a);
        int32_t term_b = scale((int32_t)(b[i] - sum->zero_b) * (1L << SUM_LEFT_SHIFT), sum->factor_b);
        y[i] = clamp(scale(term_a + sum->sign * term_b, sum->factor), sum->zero, sum->least);
    }
}

void tlm_product_run(const tlm_product_t *product, const int8_t *a, const int8_t *b, uint16_t size, int8_t *y)
{
    for (uint16_t i = 0; i < size; i++) {
        int32_t x = (int32_t)(a[i] - product->zero_a) * (b[i] - product->zero_b); /* at most 255 * 255 < 2^16 */
        y[i] = clamp(scale(x, product->factor), product->zero, product->least);
    }
}

void tlm_lookup(tlm_flash_t language, uint32_t table, const int8_t *x, uint16_t size, int8_t *y)
{
    for (uint16_t i = 0; i < size; i++) {
        y[i] = (int8_t)tlm_flash_u8(language + (table + (uint32_t)(uint16_t)(x[i] + 128)));
    }
}

void tlm_copy(const int8_t *from, uint16_t size, int8_t *to)
{
    for (uint16_t i = 0; i < size; i++) {
        to[i] = from[i];
    }
}
