/* Plain C99: normative. What tinylm/reference.py does, in the same order. */
#include "tlm_exact.h"

enum { SUM_LEFT_SHIFT = 20 }; /* TensorFlow Lite's headroom in ADD: 9 bits of difference, 20 of fraction */

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

int8_t tlm_rescale_exact(const tlm_rescale_exact_t *by, int32_t sum)
{
    return clamp(scale(sum, by->factor), by->zero, by->least);
}

int8_t tlm_sum_exact(const tlm_sum_exact_t *sum, int8_t a, int8_t b)
{
    /* |a - zero| < 2^8, shifted by 20: below 2^28. Both terms are scaled by at most 1/2: their sum is below 2^28. */
    int32_t term_a = scale((int32_t)(a - sum->zero_a) * (1L << SUM_LEFT_SHIFT), sum->factor_a);
    int32_t term_b = scale((int32_t)(b - sum->zero_b) * (1L << SUM_LEFT_SHIFT), sum->factor_b);
    return clamp(scale(term_a + sum->sign * term_b, sum->factor), sum->zero, sum->least);
}

int8_t tlm_product_exact(const tlm_product_exact_t *product, int8_t a, int8_t b)
{
    int32_t x = (int32_t)(a - product->zero_a) * (b - product->zero_b); /* at most 255 * 255 < 2^16 */
    return clamp(scale(x, product->factor), product->zero, product->least);
}

void tlm_dense_run_exact(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_rescale_exact_t *by,
                         const int8_t *x, int8_t *y)
{
    int32_t sums[TLM_CHUNK_ROWS];
    for (uint16_t first = 0; first < layer->outputs; first = (uint16_t)(first + TLM_CHUNK_ROWS)) {
        uint16_t left = (uint16_t)(layer->outputs - first);
        uint16_t count = left < TLM_CHUNK_ROWS ? left : (uint16_t)TLM_CHUNK_ROWS;
        sum(language, layer, x, first, count, sums);
        for (uint16_t i = 0; i < count; i++) {
            *y++ = tlm_rescale_exact(by, sums[i]);
        }
    }
}

void tlm_dense_run_channels(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_channels_t *by,
                            const int8_t *x, int8_t *y)
{
    int32_t sums[TLM_CHUNK_ROWS];
    for (uint16_t first = 0; first < layer->outputs; first = (uint16_t)(first + TLM_CHUNK_ROWS)) {
        uint16_t left = (uint16_t)(layer->outputs - first);
        uint16_t count = left < TLM_CHUNK_ROWS ? left : (uint16_t)TLM_CHUNK_ROWS;
        sum(language, layer, x, first, count, sums);
        for (uint16_t i = 0; i < count; i++) {
            *y++ = tlm_rescale_channels(language, by, (uint16_t)(first + i), sums[i]);
        }
    }
}

int8_t tlm_rescale_channels(tlm_flash_t language, const tlm_channels_t *by, uint16_t row, int32_t sum)
{
    const tlm_factor_t factor = {(int32_t)tlm_flash_u32(language + (by->multipliers + 4U * (tlm_offset_t)row)),
                                 (int8_t)tlm_flash_u8(language + (by->shifts + row))};
    return clamp(scale(sum, factor), by->zero, by->least);
}

void tlm_score_channels(tlm_flash_t language, const tlm_channels_t *by, uint16_t first, uint16_t count, int32_t *scores)
{
    tlm_flash_t at = language + (by->units + 4U * (tlm_offset_t)first);
    for (uint16_t i = 0; i < count; i++, at += 4) {
        /* |sum| < 2^30: twice it fits, and the unit is below 2^31. */
        scores[i] = tlm_high(2 * scores[i], (int32_t)tlm_flash_u32(at));
    }
}
