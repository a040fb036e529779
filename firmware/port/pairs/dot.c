/* Layouts pairs and fours, for cores that multiply halves of words, each half with the weights of two rows, or of four: each port
 * that uses them has the kernels (tlm_four.h). x is widened once a call into the order that they want. */
#include <stdbool.h>

#include "tlm_dot.h"
#include "tlm_four.h"

/* 512 bytes of stack for x. Pairs: a second row's sum is known modulo 2^24: 2^14 * 256 inputs = 2^22. */
enum { CHUNK_INPUTS = 256, GROUP = 4, ROWS = 4 };

/* A kernel, what it adds to the weights, and the bytes of a group of inputs of four rows. */
typedef struct {
    tlm_four_t *four;
    uint8_t plus, group_bytes;
} layout_t;

static const layout_t pairs = {tlm_dot_four, 128, 16}, fours = {tlm_dot_four_int4, 8, 8};

/* x[0..count-1] as 16 bits, each group of four as 0, 2, 1, 3, zeros after the last. Returns their sum. */
static int32_t widen(const int8_t *x, uint16_t count, int16_t *wide)
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
    return sum;
}

typedef struct {
    int16_t wide[CHUNK_INPUTS] __attribute__((aligned(4)));
    uint32_t groups, offset;
    tlm_four_t *four;
} chunk_t;

/* sums[0..count-1] = or += rows first..first+count-1 of a block. */
static void add_part(const uint8_t *weights, const chunk_t *x, uint8_t first, uint8_t count, bool add, uint32_t *sums)
{
    uint32_t all[ROWS];
    x->four(weights, x->wide, x->groups, x->offset, all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] = all[first + i] + (add ? sums[i] : 0);
    }
}

/* One chunk of inputs for all rows; `weights` is where the chunk starts in the first block, `stride` the bytes of a block.
 * The first chunk writes the sums, others `add` to them. */
static void run_chunk(const uint8_t *weights, uint32_t stride, const chunk_t *x, uint8_t skip, uint16_t rows, bool add,
                      uint32_t *sums)
{
    uint32_t *const end = sums + rows;
    if (skip != 0) {
        const uint8_t count = ROWS - skip < rows ? (uint8_t)(ROWS - skip) : (uint8_t)rows;
        add_part(weights, x, skip, count, add, sums);
        weights += stride;
        sums += count;
    }
    for (; !add && end - sums >= ROWS; sums += ROWS, weights += stride) {
        x->four(weights, x->wide, x->groups, x->offset, sums);
    }
    for (; sums < end; sums += ROWS, weights += stride) {
        const uint8_t count = end - sums < ROWS ? (uint8_t)(end - sums) : (uint8_t)ROWS;
        add_part(weights, x, 0, count, add, sums);
    }
}

static void dot_rows(const layout_t *layout, tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows,
                     const int8_t *x, int32_t *sums)
{
    chunk_t chunk;
    const uint32_t stride = layout->group_bytes * (uint32_t)((inputs + GROUP - 1) / GROUP);
    const uint8_t *weights = matrix + first / ROWS * stride;
    bool add = false;
    chunk.four = layout->four;
    do { /* no inputs at all: the sums are zero */
        const uint16_t count = inputs < CHUNK_INPUTS ? inputs : (uint16_t)CHUNK_INPUTS;
        chunk.offset = (uint32_t)widen(x, count, chunk.wide) * layout->plus;
        chunk.groups = (uint32_t)(count + GROUP - 1) / GROUP;
        run_chunk(weights, stride, &chunk, (uint8_t)(first % ROWS), rows, add, (uint32_t *)sums);
        add = true;
        weights += layout->group_bytes * chunk.groups;
        x += count;
        inputs = (uint16_t)(inputs - count);
    } while (inputs > 0);
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    dot_rows(&pairs, matrix, inputs, first, rows, x, sums);
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    dot_rows(&fours, matrix, inputs, first, rows, x, sums);
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint32_t stride = pairs.group_bytes * (uint32_t)((inputs + GROUP - 1) / GROUP);
    const uint8_t *at = matrix + row / ROWS * stride + row % 4 / 2 * 8 + row % 2;
    const uint8_t turned = row % 2 == 0 ? pairs.plus : 0; /* the first of a pair is stored plus 128 */
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)(tlm_flash_u8(at + (i / GROUP * 16U + i % 2U * 4U + i / 2U % 2U * 2U)) ^ turned);
    }
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint32_t stride = fours.group_bytes * (uint32_t)((inputs + GROUP - 1) / GROUP);
    const uint8_t *at = matrix + row / ROWS * stride + row % 4 / 2;
    const uint8_t shift = row % 2 * 4, turned = row % ROWS == 3 ? fours.plus : 0; /* the last row's is stored as it is */
    for (uint16_t i = 0; i < inputs; i++) {
        const uint8_t both = tlm_flash_u8(at + (i / GROUP * 8U + i % 2U * 4U + i / 2U % 2U * 2U));
        y[i] = (int8_t)(((both >> shift & 15) ^ turned) - fours.plus);
    }
}
