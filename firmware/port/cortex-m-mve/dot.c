/* Layout rows, for Cortex-M cores with Helium (M55): sixteen multiply-accumulates an instruction, four rows at a time. */
#include <string.h>

#include "tlm_dot.h"

enum { ROWS = 4 };

/* sums[r] = the sum of weights[r * stride + i] * x[i] over i < count, for r < 4 * blocks; blocks >= 1. */
void tlm_dot_vector_four(const uint8_t *weights, uint32_t stride, const int8_t *x, uint32_t count, int32_t *sums, uint32_t blocks);

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint8_t *const weights = matrix + (uint32_t)first * inputs;
    uint32_t row = rows / ROWS * ROWS;
    if (row != 0) {
        tlm_dot_vector_four(weights, inputs, x, inputs, sums, row / ROWS);
    }
    for (; row < rows; row++) {
        int32_t same[ROWS];
        tlm_dot_vector_four(weights + row * inputs, 0, x, inputs, same, 1);
        sums[row] = same[0];
    }
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    memcpy(y, matrix + (uint32_t)row * inputs, inputs);
}
