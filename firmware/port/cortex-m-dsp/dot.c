/* Layout pairs, for Cortex-M cores with the DSP extension (M4, M7, M33): two 16-bit multiplies an instruction, each of which
 * serves two rows (four.S says how). x is widened once a call into the order that the kernel wants. */
#include "tlm_dot.h"

/* 512 bytes of stack for x. A second row's sum is known modulo 2^24: 2^14 * 256 inputs = 2^22. */
enum { CHUNK_INPUTS = 256, GROUP = 4, ROWS = 4, OFFSET = 128 };

void tlm_dot_four(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t *pairs);

/* x[0..count-1] as 16 bits, each group of four as 0, 2, 1, 3, zeros after the last. Returns 128 times their sum. */
static uint32_t widen(const int8_t *x, uint16_t count, int16_t *wide)
{
    int32_t sum = 0;
    for (; count >= GROUP; count = (uint16_t)(count - GROUP), x += GROUP, wide += GROUP) {
        sum += (wide[0] = x[0]) + (wide[1] = x[2]) + (wide[2] = x[1]) + (wide[3] = x[3]);
    }
    if (count != 0) {
        const int8_t second = count > 1 ? x[1] : 0, third = count > 2 ? x[2] : 0;
        sum += (wide[0] = x[0]) + (wide[1] = third) + (wide[2] = second);
        wide[3] = 0;
    }
    return (uint32_t)sum * OFFSET;
}

/* sums[0..3] += a block's four rows times x. */
static void add_four(const uint8_t *weights, const int16_t *x, uint16_t groups, uint32_t offset, uint32_t *sums)
{
    uint32_t pairs[ROWS];
    tlm_dot_four(weights, x, groups, pairs);
    sums[0] += pairs[1] - offset;
    sums[1] += (uint32_t)((int32_t)(pairs[0] - pairs[1]) >> 8);
    sums[2] += pairs[3] - offset;
    sums[3] += (uint32_t)((int32_t)(pairs[2] - pairs[3]) >> 8);
}

/* The same for `count` rows from row `first` of the block on. */
static void add_part(const uint8_t *weights, const int16_t *x, uint16_t groups, uint32_t offset, uint8_t first, uint8_t count,
                     uint32_t *sums)
{
    uint32_t all[ROWS] = {0, 0, 0, 0};
    add_four(weights, x, groups, offset, all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] += all[first + i];
    }
}

/* One chunk of inputs for all rows; `weights` is where the chunk starts in the first block, `stride` the bytes of a block. */
static void add_chunk(const uint8_t *weights, uint32_t stride, const int8_t *x, uint16_t count, uint8_t skip, uint16_t rows,
                      uint32_t *sums)
{
    int16_t wide[CHUNK_INPUTS] __attribute__((aligned(4)));
    const uint32_t offset = widen(x, count, wide);
    const uint16_t groups = (uint16_t)((count + GROUP - 1) / GROUP);
    uint16_t row = 0;
    if (skip != 0) {
        row = (uint16_t)(ROWS - skip) < rows ? (uint16_t)(ROWS - skip) : rows;
        add_part(weights, wide, groups, offset, skip, (uint8_t)row, sums);
        weights += stride;
    }
    for (; row + ROWS <= rows; row = (uint16_t)(row + ROWS), weights += stride) {
        add_four(weights, wide, groups, offset, sums + row);
    }
    if (row < rows) {
        add_part(weights, wide, groups, offset, 0, (uint8_t)(rows - row), sums + row);
    }
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint32_t stride = (uint32_t)ROWS * (uint32_t)((inputs + GROUP - 1) / GROUP * GROUP);
    const uint8_t *weights = matrix + first / ROWS * stride;
    for (uint16_t i = 0; i < rows; i++) {
        sums[i] = 0;
    }
    while (inputs > 0) {
        const uint16_t count = inputs < CHUNK_INPUTS ? inputs : (uint16_t)CHUNK_INPUTS;
        add_chunk(weights, stride, x, count, (uint8_t)(first % ROWS), rows, (uint32_t *)sums);
        weights += (uint32_t)ROWS * count;
        x += count;
        inputs = (uint16_t)(inputs - count);
    }
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint32_t stride = (uint32_t)ROWS * (uint32_t)((inputs + GROUP - 1) / GROUP * GROUP);
    const uint8_t *at = matrix + row / ROWS * stride + row % 4 / 2 * 8 + row % 2;
    const uint8_t turned = row % 2 == 0 ? OFFSET : 0; /* the first of a pair is stored plus 128 */
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)(at[i / GROUP * 16U + i % 2U * 4U + i / 2U % 2U * 2U] ^ turned);
    }
}
