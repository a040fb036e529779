/* Rows of a weight matrix: what takes nearly all of a chip's time, so each port has its own dot.c.
 *
 * A matrix lies in the layout of the board (tinylm/layout.py), from a multiple of 4 bytes on; one whose weights have 4 bits in
 * the board's layout for those (tinylm/layout_int4.py), read by dot_int4.c. Every port answers alike.
 */
#ifndef TLM_DOT_H
#define TLM_DOT_H

#include <stdint.h>

#include "tlm_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sums[r] = sum of w[first + r][i] * x[i] over i < inputs, for r < rows; w is the matrix. inputs <= 4096: |sum| <= 2^14 * 2^12
 * = 2^26. Cheapest where first is a multiple of 4 and rows are many: x is prepared once a call. In layout octets x[i] + 128 is
 * taken for x[i]: the biases of its layers have that in them. */
void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums);

/* y[i] = w[row][i] for i < inputs: for a matrix that is an embedding too. */
void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y);

/* The same for weights of 4 bits, -8..7: |sum| <= 2^10 * 2^12 = 2^22. */
void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums);
void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y);

#ifdef __cplusplus
}
#endif
#endif
