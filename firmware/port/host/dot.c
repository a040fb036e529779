/* Layout rows, on a computer: written so that compilers use 16-bit multiply-and-add over whole blocks.
 *
 * x is widened once and padded with zeros to whole blocks; a row then reads a little of the next one, times zero. The last
 * row has no next one and is summed exactly.
 */
#include "tlm_dot.h"

enum { MAX_INPUTS = 4096, BLOCK = 16, ROWS = 4 };

static void dot_four(const uint8_t *weights, const int16_t *x, uint32_t inputs, uint32_t padded, int32_t *sums)
{
    const uint8_t *w1 = weights + inputs, *w2 = w1 + inputs, *w3 = w2 + inputs;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    padded &= ~(uint32_t)(BLOCK - 1); /* says that no rest is left over */
    for (uint32_t i = 0; i < padded; i++) {
        sum0 += (int16_t)(int8_t)weights[i] * x[i];
        sum1 += (int16_t)(int8_t)w1[i] * x[i];
        sum2 += (int16_t)(int8_t)w2[i] * x[i];
        sum3 += (int16_t)(int8_t)w3[i] * x[i];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static int32_t dot(const uint8_t *weights, const int16_t *x, uint32_t inputs)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < inputs; i++) {
        sum += (int16_t)(int8_t)weights[i] * x[i];
    }
    return sum;
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint8_t *weights = matrix + (uint32_t)first * inputs;
    int16_t wide[MAX_INPUTS];
    const uint32_t padded = ((uint32_t)inputs + BLOCK - 1) / BLOCK * BLOCK; /* at most MAX_INPUTS, a multiple of BLOCK */
    uint16_t row = 0;
    for (uint32_t i = 0; i < padded; i++) {
        wide[i] = i < inputs ? x[i] : 0;
    }
    /* The padding is below BLOCK bytes: inside the next row when rows are that long. */
    for (; inputs >= BLOCK && row + ROWS < rows; row = (uint16_t)(row + ROWS)) {
        dot_four(weights, wide, inputs, padded, sums + row);
        weights += ROWS * (uint32_t)inputs;
    }
    for (; row < rows; row++) {
        sums[row] = dot(weights, wide, inputs);
        weights += inputs;
    }
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)matrix[(uint32_t)row * inputs + i];
    }
}
