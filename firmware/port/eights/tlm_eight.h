/* The kernel of layout eights: each port that uses the layout has one. */
#ifndef TLM_EIGHT_H
#define TLM_EIGHT_H

#include <stdint.h>

enum {
    TLM_EIGHT_INPUTS = 16,    /* whose products half a word holds: |u x| <= 15 * 128, sixteen of them < 2^15 */
    TLM_EIGHT_START = 0x8000  /* what such a sum starts from, so that it has no sign */
};

/* Layout eights: bits 4 r.. of a word are the weight of row r for one input, plus 8 (u: 0..15). Masked with 0x000F000F, what is left
 * of the word and of it shifted by 4, 8 and 12 bits are two rows each, r and r + 4, and one multiply serves both: over sixteen
 * inputs each keeps to its half of the word. For the eight rows of a block, over `count` (1..128) inputs:
 *     sums[r] += the sum of u x + TLM_EIGHT_START for each sixteen inputs begun, for r < 4
 *     sums[r] += the sum of u x, for 4 <= r < 8
 * weights and x lie at multiples of 4. */
void tlm_dot_eight(const uint8_t *weights, const int32_t *x, uint32_t count, uint32_t *sums);

#endif
