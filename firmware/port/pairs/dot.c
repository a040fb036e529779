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

/* x[0..count-1] as the kernels take it, zeros after the last. Returns their sum. */
static int32_t widen(const int8_t *x, uint16_t count, int16_t *wide)
{
    const uint16_t rest = count % GROUP;
    int32_t sum = tlm_four_take(x, count / GROUP, wide);
    if (rest != 0) {
        x += count - rest;
        wide += count - rest;
        const int8_t second = rest > 1 ? x[1] : 0, third = rest > 2 ? x[2] : 0;
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

/* The next rows of one block, not all of them or not all that there is of them, from `skip` on. Returns how many. */
static uint32_t add_part(const uint8_t *weights, const chunk_t *x, uint32_t skip, uint32_t rows, bool add, uint32_t *sums)
{
    uint32_t all[ROWS];
    const uint32_t count = ROWS - skip < rows ? ROWS - skip : rows;
    x->four(weights, x->wide, x->groups, x->offset, all, 1);
    for (uint32_t i = 0; i < count; i++) {
        sums[i] = all[skip + i] + (add ? sums[i] : 0);
    }
    return count;
}

/* One chunk of inputs for all rows; `weights` is where the chunk starts in the first block, `stride` the bytes of a block, of which
 * the chunk takes `bytes`. The first chunk writes the sums, whole blocks in one go where it is the only one; others `add` to them. */
static void run_chunk(const uint8_t *weights, uint32_t stride, uint32_t bytes, const chunk_t *x, uint32_t skip, uint32_t rows,
                      bool add, uint32_t *sums)
{
    while (rows != 0) {
        uint32_t blocks = bytes == stride ? rows / ROWS : 1, count = blocks * ROWS;
        if (add || skip != 0 || rows < ROWS) {
            blocks = 1;
            count = add_part(weights, x, skip, rows, add, sums);
            skip = 0;
        } else {
            x->four(weights, x->wide, x->groups, x->offset, sums, blocks);
        }
        weights += stride * blocks;
        rows -= count;
        sums += count;
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
        const uint32_t bytes = layout->group_bytes * chunk.groups;
        run_chunk(weights, stride, bytes, &chunk, first % ROWS, rows, add, (uint32_t *)sums);
        add = true;
        weights += bytes;
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
