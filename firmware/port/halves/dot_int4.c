/* Layout halves, on any chip: a byte holds a weight of the first half of a row's inputs (low) and one of the second (high).
 * Normative. Weights are taken plus 8, which needs no sign extension; a pair of products fits 16 bits. */
#include "tlm_dot.h"
#include "tlm_offset.h"

enum { PLUS = 8 };

/* Both weights plus 8. */
static uint8_t both_plus(uint8_t both)
{
    return both ^ 0x88U;
}

/* |it| <= 15 * 128. */
static int16_t low_times(uint8_t both, int8_t x)
{
    return (int16_t)((uint8_t)(both & 15U) * x);
}

static int16_t high_times(uint8_t both, int8_t x)
{
    return (int16_t)((both >> 4) * x);
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const int8_t *const other = x + bytes; /* what the high halves are multiplied by */
    tlm_flash_t at = matrix + (tlm_offset_t)first * bytes;
    int32_t offset = 0;
    for (uint16_t i = 0; i < inputs; i++) {
        offset += x[i];
    }
    for (uint16_t row = 0; row < rows; row++, at += bytes) {
        int32_t sum = -PLUS * offset; /* |it| <= 23 * 128 * 2^12 < 2^24 */
        for (uint16_t i = 0; i < pairs; i++) {
            const uint8_t both = both_plus(tlm_flash_u8(at + i));
            sum += (int16_t)(low_times(both, x[i]) + high_times(both, other[i]));
        }
        if (pairs < bytes) { /* of an odd number the last: its high half holds nothing */
            sum += low_times(both_plus(tlm_flash_u8(at + pairs)), x[pairs]);
        }
        sums[row] = sum;
    }
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const tlm_flash_t at = matrix + (tlm_offset_t)row * bytes;
    for (uint16_t i = 0; i < bytes; i++) {
        const uint8_t both = both_plus(tlm_flash_u8(at + i));
        y[i] = (int8_t)((both & 15U) - PLUS);
        if (i < pairs) {
            y[bytes + i] = (int8_t)((both >> 4) - PLUS);
        }
    }
}
