/* The kernel of layout quads: each port that uses the layout has one. */
#ifndef TLM_QUAD_H
#define TLM_QUAD_H

#include <stdint.h>

#include "tlm_port.h"

/* sums[r] = the sum of u[r] x over `count` (0..256) inputs, less `offset`, for the four rows r of a block; u is the stored byte,
 * the weight plus 128, and `offset` is 128 times the sum of x. |sum of u x| <= 255 * 128 * 256 < 2^23. */
void tlm_dot_quad(tlm_flash_t weights, const int8_t *x, uint16_t count, uint32_t offset, uint32_t *sums);

#endif
