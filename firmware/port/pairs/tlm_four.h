/* The kernels of layouts pairs and fours: each port that uses the layouts has them. */
#ifndef TLM_FOUR_H
#define TLM_FOUR_H

#include <stdint.h>

/* wide = x[0..4 groups - 1] as 16 bits, each group of four as 0, 2, 1, 3. Returns their sum; wide lies at a multiple of 4. */
int32_t tlm_four_take(const int8_t *x, uint32_t groups, int16_t *wide);

/* All four rows of each of `blocks` (1 or more) blocks, one after the other from `weights` on.
 *
 * Layout pairs: a word of weights is (u, s) for one input in the low half and (u, s) for another in the high half, u being the
 * first row's weight plus 128 and s the second row's as it is, so that a half, read as 16 bits, is u + 256 s. For each pair of
 * rows two sums over `groups` (0..64) times four inputs:
 *     t = sum of (u + 256 s) x, modulo 2^32
 *     u = sum of u x; less `offset`, which is 128 times the sum of x, it is the first row's sum
 * (t - u) / 256 is the second row's sum: |sum| <= 2^14 * 256 = 2^22, so 24 bits hold it.
 * sums[0..3] = those of the first four rows. weights and x lie at multiples of 4; up to 4 bytes past x may be read. */
void tlm_dot_four(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t offset, uint32_t *sums, uint32_t blocks);

/* The same for layout fours: half a word of weights is u0 + 16 u1 + 256 u2 + 4096 s3, u being the weights of the first three rows
 * plus 8 (0..15) and s the fourth's as it is. Of each half times x four sums, each with one row less:
 *     t0 = S0 + 16 S1 + 256 S2 + 4096 S3,   t1 = S0 + 16 S1 + 256 S2,   t2 = S0 + 16 S1,   t3 = S0
 * |S| <= 15 * 128 * 256 < 2^19, so that all but t0 fit 32 bits, and t0 - t1 does. S0, S1 and S2 less `offset`, which is 8 times
 * the sum of x, are the rows' sums, as S3 is. */
void tlm_dot_four_int4(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t offset, uint32_t *sums,
                       uint32_t blocks);

typedef void tlm_four_t(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t offset, uint32_t *sums,
                        uint32_t blocks);

#endif
