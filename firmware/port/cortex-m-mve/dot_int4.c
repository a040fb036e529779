/* Layout halves, for Cortex-M cores with Helium (M55): four rows at a time, 32 of each row's weights in five instructions. */
#include "tlm_dot.h"

enum { ROWS = 4, SIXTEENTH = 4 };

/* sums[r] = the sum of low x[i] + high other[i] over the bytes weights[r * stride + i], i < count, for r < 4 * blocks; blocks >= 1. */
void tlm_dot_vector_four_int4(const uint8_t *weights, uint32_t stride, const int8_t *x, const int8_t *other, uint32_t count,
                              int32_t *sums, uint32_t blocks);

static int32_t low(uint8_t both)
{
    return (int8_t)(uint8_t)(both << 4) >> SIXTEENTH;
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const uint8_t *const weights = matrix + (uint32_t)first * bytes;
    uint32_t row = rows / ROWS * ROWS;
    if (row != 0) {
        tlm_dot_vector_four_int4(weights, bytes, x, x + bytes, pairs, sums, row / ROWS);
    }
    for (; row < rows; row++) {
        int32_t same[ROWS];
        tlm_dot_vector_four_int4(weights + row * bytes, 0, x, x + bytes, pairs, same, 1);
        sums[row] = same[0];
    }
    if (pairs < bytes) { /* of an odd number of inputs the last: its high half holds nothing */
        for (row = 0; row < rows; row++) {
            sums[row] += low(weights[row * bytes + pairs]) * x[pairs];
        }
    }
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const uint8_t *at = matrix + (uint32_t)row * bytes;
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)(i < bytes ? low(at[i]) : (int8_t)at[i - bytes] >> SIXTEENTH);
    }
}
