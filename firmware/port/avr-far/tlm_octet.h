/* The kernel of layout octets. */
#ifndef TLM_OCTET_H
#define TLM_OCTET_H

#include <stdint.h>

#include "tlm_port.h"

enum { TLM_OCTET_INPUTS = 256 }; /* a sum of as many products of bytes fits in 24 bits */

/* `count` inputs plus 128, and 128 times their sum: what the 128 in each weight adds to every row. */
typedef struct {
    uint16_t count;
    uint32_t offset;
    uint8_t x[TLM_OCTET_INPUTS];
} tlm_octet_inputs_t;

/* to[i] = x[i] + 128, for i < count (0..256). Returns their sum. */
uint16_t tlm_octet_take(const int8_t *x, uint16_t count, uint8_t *to);

/* sums[r] = the sum of u[r] x over the inputs, less `offset`, for the eight rows r of each of `blocks` (1 or more) blocks, one
 * after the other from `weights` on; u is the stored byte, the weight plus 128. What is left, the sum of w x, is at most
 * 128 * 255 * 256 < 2^23 in size. Where it `has_biases`, one of three bytes from `biases` on is added to each, and then what is
 * left must be below 2^23. */
void tlm_dot_octets(tlm_flash_t weights, const tlm_octet_inputs_t *inputs, uint16_t blocks, uint8_t has_biases,
                    tlm_flash_t biases, int32_t *sums);

#endif
