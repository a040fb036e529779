/* Layout quads: for each input the weights of four rows, each plus 128. The kernel (tlm_quad.h) does four rows at once. */
#include <stdbool.h>

#include "tlm_dot.h"
#include "tlm_quad.h"

enum { CHUNK_INPUTS = 256, ROWS = 4, OFFSET = 128 };

typedef struct {
    const int8_t *x;
    uint16_t count;
    uint32_t offset;
} chunk_t;

static uint32_t offset_of(const int8_t *x, uint16_t count)
{
    const int8_t *const end = x + count;
    int_fast16_t sum = 0; /* at least -128 * 256 = -2^15 */
    for (; end - x >= 4; x += 4) {
        sum = (int_fast16_t)(sum + x[0] + x[1] + x[2] + x[3]);
    }
    while (x < end) {
        sum = (int_fast16_t)(sum + *x++);
    }
    return (uint32_t)((int32_t)sum * OFFSET);
}

/* sums[0..count-1] = or += rows first..first+count-1 of a block. */
static void add_part(tlm_flash_t weights, const chunk_t *chunk, uint8_t first, uint8_t count, bool add, uint32_t *sums)
{
    uint32_t all[ROWS];
    tlm_dot_quad(weights, chunk->x, chunk->count, chunk->offset, all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] = all[first + i] + (add ? sums[i] : 0);
    }
}

/* One chunk of inputs for all rows; `weights` is where the chunk starts in the first block, `stride` the bytes of a block.
 * The first chunk writes the sums, others `add` to them. */
static void run_chunk(tlm_flash_t weights, uint32_t stride, const chunk_t *chunk, uint8_t skip, uint16_t rows, bool add,
                      uint32_t *sums)
{
    uint32_t *const end = sums + rows;
    if (skip != 0) {
        uint8_t count = (uint8_t)(ROWS - skip);
        if (rows < count) {
            count = (uint8_t)rows;
        }
        add_part(weights, chunk, skip, count, add, sums);
        weights += stride;
        sums += count;
    }
    for (; !add && end - sums >= ROWS; sums += ROWS, weights += stride) {
        tlm_dot_quad(weights, chunk->x, chunk->count, chunk->offset, sums);
    }
    for (; sums < end; sums += ROWS, weights += stride) {
        uint8_t count = ROWS;
        if (end - sums < ROWS) {
            count = (uint8_t)(end - sums);
        }
        add_part(weights, chunk, 0, count, add, sums);
    }
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint32_t stride = (uint32_t)ROWS * inputs;
    tlm_flash_t weights = matrix + first / ROWS * stride;
    bool add = false;
    do { /* no inputs at all: the sums are zero */
        const uint16_t count = inputs < CHUNK_INPUTS ? inputs : (uint16_t)CHUNK_INPUTS;
        const chunk_t chunk = {x, count, offset_of(x, count)};
        run_chunk(weights, stride, &chunk, (uint8_t)(first % ROWS), rows, add, (uint32_t *)sums);
        add = true;
        weights += (uint32_t)ROWS * count;
        x += count;
        inputs = (uint16_t)(inputs - count);
    } while (inputs > 0);
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const tlm_flash_t at = matrix + ((uint32_t)(row / ROWS * ROWS) * inputs + row % ROWS);
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)(tlm_flash_u8(at + (uint32_t)ROWS * i) ^ OFFSET);
    }
}
