/* Layout eights, for cores that multiply 32 bits: the kernel (tlm_eight.h) does eight rows at once. x is widened once a call. */
#include "tlm_dot.h"
#include "tlm_eight.h"

enum { CHUNK_INPUTS = 128, ROWS = 8, PLUS = 8 }; /* 512 bytes of stack for x */

/* Some inputs, and what the kernel adds too much to the first four rows and to the others. */
typedef struct {
    int32_t x[CHUNK_INPUTS];
    uint32_t count, low, high;
} chunk_t;

static void widen(const int8_t *x, uint16_t count, chunk_t *chunk)
{
    int32_t *wide = chunk->x, sum = 0;
    const int8_t *const end = x + count;
    for (; end - x >= 4; x += 4, wide += 4) {
        sum += (wide[0] = x[0]) + (wide[1] = x[1]) + (wide[2] = x[2]) + (wide[3] = x[3]);
    }
    while (x < end) {
        sum += *wide++ = *x++;
    }
    chunk->count = count;
    chunk->high = (uint32_t)sum * PLUS;
    chunk->low = chunk->high + (uint32_t)(count + TLM_EIGHT_INPUTS - 1) / TLM_EIGHT_INPUTS * TLM_EIGHT_START;
}

static void add_block(const uint8_t *weights, const chunk_t *chunk, uint32_t *sums)
{
    for (uint8_t i = 0; i < ROWS / 2; i++) {
        sums[i] -= chunk->low;
        sums[i + ROWS / 2] -= chunk->high;
    }
    tlm_dot_eight(weights, chunk->x, chunk->count, sums);
}

/* sums[0..count-1] += rows first..first+count-1 of a block. */
static void add_part(const uint8_t *weights, const chunk_t *chunk, uint8_t first, uint8_t count, uint32_t *sums)
{
    uint32_t all[ROWS] = {0};
    add_block(weights, chunk, all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] += all[first + i];
    }
}

/* Adds one chunk of inputs for all rows; `weights` is where the chunk starts in the first block, `stride` the bytes of a block. */
static void add_chunk(const uint8_t *weights, uint32_t stride, const chunk_t *chunk, uint8_t skip, uint16_t rows,
                      uint32_t *sums)
{
    uint32_t *const end = sums + rows;
    if (skip != 0) {
        const uint8_t count = ROWS - skip < rows ? (uint8_t)(ROWS - skip) : (uint8_t)rows;
        add_part(weights, chunk, skip, count, sums);
        weights += stride;
        sums += count;
    }
    for (; end - sums >= ROWS; sums += ROWS, weights += stride) {
        add_block(weights, chunk, sums);
    }
    if (sums < end) {
        add_part(weights, chunk, 0, (uint8_t)(end - sums), sums);
    }
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    chunk_t chunk;
    const uint32_t stride = 4U * inputs;
    const uint8_t *weights = matrix + first / ROWS * stride;
    for (uint16_t i = 0; i < rows; i++) {
        sums[i] = 0;
    }
    while (inputs > 0) {
        const uint16_t count = inputs < CHUNK_INPUTS ? inputs : (uint16_t)CHUNK_INPUTS;
        widen(x, count, &chunk);
        add_chunk(weights, stride, &chunk, (uint8_t)(first % ROWS), rows, (uint32_t *)sums);
        weights += 4U * count;
        x += count;
        inputs = (uint16_t)(inputs - count);
    }
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint8_t *at = matrix + row / ROWS * (4U * inputs) + row % ROWS / 2;
    const uint8_t shift = row % 2 * 4;
    for (uint16_t i = 0; i < inputs; i++, at += 4) {
        y[i] = (int8_t)((tlm_flash_u8(at) >> shift & 15) - PLUS);
    }
}
