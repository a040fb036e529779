/* Weights of 4 bits in layout quads: for each input the weights of four rows, each plus 8. quad_int4.S does four rows at once. */
#include "tlm_dot.h"
#include "tlm_offset.h"
#include "tlm_quad_int4.h"

enum { ROWS = 4, PLUS = 8 };

static int16_t sum_of(const int8_t *x, uint16_t count)
{
    int16_t sum = 0; /* at least -128 * 256 = -2^15 */
    while (count-- != 0) {
        sum = (int16_t)(sum + *x++);
    }
    return sum;
}

/* The next rows of one block, not all of them or not all that there is of them, from `skip` on. What is in `sums` is added where
 * `adds`. Returns how many. */
static uint8_t sum_part(tlm_flash_t weights, const int8_t *x, uint16_t inputs, uint8_t skip, uint16_t rows, uint8_t adds,
                        int32_t *sums)
{
    int32_t all[ROWS];
    uint8_t count = (uint8_t)(ROWS - skip);
    if (rows < count) {
        count = (uint8_t)rows;
    }
    tlm_dot_quads_int4(weights, x, inputs, 1, sum_of(x, inputs), all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] = all[skip + i] + (adds ? sums[i] : 0);
    }
    return count;
}

/* One chunk of inputs for all rows; whole blocks are done in one go where all their inputs are here. */
static void sum_chunk(tlm_flash_t weights, uint16_t stride, const int8_t *x, uint16_t inputs, uint8_t skip, uint16_t rows,
                      uint8_t adds, int32_t *sums)
{
    const uint8_t is_whole = !adds && stride == ROWS / 2 * inputs;
    while (rows != 0) {
        uint16_t blocks = rows / ROWS, count = (uint16_t)(blocks * ROWS);
        if (is_whole && skip == 0 && blocks != 0) {
            tlm_dot_quads_int4(weights, x, inputs, blocks, sum_of(x, inputs), sums);
        } else {
            blocks = 1;
            count = sum_part(weights, x, inputs, skip, rows, adds, sums);
            skip = 0;
        }
        weights += (tlm_offset_t)stride * blocks;
        rows = (uint16_t)(rows - count);
        sums += count;
    }
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint16_t stride = (uint16_t)(ROWS / 2 * inputs); /* inputs <= 4096 */
    tlm_flash_t weights = matrix + (tlm_offset_t)(first / ROWS) * stride;
    uint8_t adds = 0;
    do { /* no inputs at all: the sums are zero */
        const uint16_t count = inputs < TLM_QUAD_INPUTS ? inputs : (uint16_t)TLM_QUAD_INPUTS;
        sum_chunk(weights, stride, x, count, (uint8_t)(first % ROWS), rows, adds, sums);
        adds = 1;
        weights += (tlm_offset_t)(ROWS / 2 * count);
        x += count;
        inputs = (uint16_t)(inputs - count);
    } while (inputs != 0);
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    tlm_flash_t at = matrix + ((tlm_offset_t)(row / ROWS * (ROWS / 2)) * inputs + row % ROWS / 2);
    for (uint16_t i = 0; i < inputs; i++, at += ROWS / 2) {
        const uint8_t both = tlm_flash_u8(at);
        y[i] = (int8_t)((row % 2 != 0 ? both >> 4 : both & 15) - PLUS);
    }
}
