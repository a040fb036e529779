/* The kernel of weights of 4 bits in layout quads. */
#ifndef TLM_QUAD_INT4_H
#define TLM_QUAD_INT4_H

#include <stdint.h>

#include "tlm_port.h"

enum { TLM_QUAD_INPUTS = 256 }; /* 16 times a sum of as many products of 4 bits and a byte fits in 24 bits */

/* sums[r] = the sum of w[r] x over `count` (0..256) inputs, for the four rows r of each of `blocks` (1 or more) blocks, one after the
 * other from `weights` on; sum_x is the sum of x, for what the 8 in each stored weight adds. |sum| <= 2^10 * 256 = 2^18. */
void tlm_dot_quads_int4(tlm_flash_t weights, const int8_t *x, uint16_t count, uint16_t blocks, int16_t sum_x, int32_t *sums);

#endif
