/* Layout rows, on any chip whose flash has addresses: one row after the other. */
#include "tlm_dot.h"

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    tlm_flash_t weights = matrix + (uint32_t)first * inputs;
    const int8_t *const end = x + inputs;
    for (uint16_t row = 0; row < rows; row++) {
        int32_t sum = 0;
        for (const int8_t *at = x; at < end; at++) {
            sum += (int8_t)tlm_flash_u8(weights++) * *at;
        }
        sums[row] = sum;
    }
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    tlm_flash_t weights = matrix + (uint32_t)row * inputs;
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)tlm_flash_u8(weights + i);
    }
}
