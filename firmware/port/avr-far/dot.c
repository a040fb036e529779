/* Layout octets: for each input the weights of eight rows, each plus 128. The inputs are taken plus 128 too; biases hold what
 * that adds (tinylm/layout.py), so the sums here are those of w (x + 128). octet.S does eight rows at once. */
#include "tlm_dot.h"
#include "tlm_layers.h"
#include "tlm_octet.h"

enum { ROWS = 8, OFFSET = 128, KERNEL_BYTES = 3 };

/* `rows` rows to be summed: `weights` is where their inputs start in the first one's block of `stride` bytes, of which `skip` rows
 * are not wanted. What is in `sums` is added where `adds`, and the biases, which have `bytes` bytes times 2^shift (0: none). */
typedef struct {
    tlm_flash_t weights, biases;
    uint16_t stride, rows;
    uint8_t skip, bytes, shift, adds;
} rows_t;

/* The next rows of one block, not all of them or not all that there is of them. Returns how many. */
static uint8_t sum_part(const rows_t *of, const tlm_octet_inputs_t *inputs, int32_t *sums)
{
    int32_t all[ROWS];
    uint8_t count = (uint8_t)(ROWS - of->skip);
    if (of->rows < count) {
        count = (uint8_t)of->rows;
    }
    tlm_dot_octets(of->weights, inputs, 1, 0, 0, all);
    for (uint8_t i = 0; i < count; i++) {
        sums[i] = all[of->skip + i] + (of->adds ? sums[i] : 0);
    }
    if (of->bytes != 0) {
        tlm_biases_add(of->biases, of->bytes, of->shift, count, sums);
    }
    return count;
}

/* One chunk of inputs for all rows. Whole blocks are done in one go where all their inputs are here; the kernel adds biases of
 * three bytes (tinylm/language.py: no sum reaches 2^23 then). */
static void sum_chunk(rows_t of, const tlm_octet_inputs_t *inputs, int32_t *sums)
{
    const uint8_t is_whole = !of.adds && of.stride == ROWS * inputs->count &&
                             (of.bytes == 0 || (of.bytes == KERNEL_BYTES && of.shift == 0));
    while (of.rows != 0) {
        uint16_t blocks = of.rows / ROWS, count = (uint16_t)(blocks * ROWS);
        if (is_whole && of.skip == 0 && blocks != 0) {
            tlm_dot_octets(of.weights, inputs, blocks, of.bytes, of.biases, sums);
        } else {
            blocks = 1;
            count = sum_part(&of, inputs, sums);
            of.skip = 0;
        }
        of.weights += (tlm_offset_t)of.stride * blocks;
        of.biases += (tlm_offset_t)of.bytes * count;
        of.rows = (uint16_t)(of.rows - count);
        sums += count;
    }
}

static void sum_rows(rows_t of, uint16_t count, const int8_t *x, int32_t *sums)
{
    tlm_octet_inputs_t inputs;
    do { /* no inputs at all: the sums are zero */
        inputs.count = count < TLM_OCTET_INPUTS ? count : (uint16_t)TLM_OCTET_INPUTS;
        inputs.offset = (uint32_t)tlm_octet_take(x, inputs.count, inputs.x) * OFFSET;
        sum_chunk(of, &inputs, sums);
        of.adds = 1;
        of.bytes = 0;
        of.weights += (tlm_offset_t)ROWS * inputs.count;
        x += inputs.count;
        count = (uint16_t)(count - inputs.count);
    } while (count != 0);
}

static rows_t rows_of(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows)
{
    const uint16_t stride = (uint16_t)(ROWS * inputs); /* inputs <= 4096 */
    const rows_t of = {matrix + (tlm_offset_t)(first / ROWS) * stride, 0, stride, rows, (uint8_t)(first % ROWS), 0, 0, 0};
    return of;
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    sum_rows(rows_of(matrix, inputs, first, rows), inputs, x, sums);
}

void tlm_dense_sums(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                    int32_t *sums)
{
    rows_t of = rows_of(language + layer->weights, layer->inputs, first, count);
    of.bytes = layer->bias_bytes;
    of.shift = layer->bias_shift;
    of.biases = language + (layer->biases + (tlm_offset_t)of.bytes * first);
    sum_rows(of, layer->inputs, x, sums);
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    tlm_flash_t at = matrix + ((tlm_offset_t)(row / ROWS * ROWS) * inputs + row % ROWS);
    for (uint16_t i = 0; i < inputs; i++, at += ROWS) {
        y[i] = (int8_t)(tlm_flash_u8(at) ^ OFFSET);
    }
}
