/* The rows of a dense layer, two at a time so that x is loaded once for both. */
#include "tlm_port.h"

void tlm_dot_rows(tlm_flash_t weights, const int8_t *x, uint16_t inputs, uint16_t rows, int32_t *sums)
{
    for (; rows >= 2; rows = (uint16_t)(rows - 2)) {
        const uint8_t *next = weights + inputs;
        int32_t sum = 0, sum_next = 0;
        for (uint16_t i = 0; i < inputs; i++) {
            sum += (int8_t)weights[i] * x[i];
            sum_next += (int8_t)next[i] * x[i];
        }
        *sums++ = sum;
        *sums++ = sum_next;
        weights = next + inputs;
    }
    if (rows != 0) {
        int32_t sum = 0;
        for (uint16_t i = 0; i < inputs; i++) {
            sum += (int8_t)weights[i] * x[i];
        }
        *sums = sum;
    }
}
