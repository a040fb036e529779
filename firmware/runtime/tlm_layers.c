/* Plain C99: normative. Right shifts of negative numbers are arithmetic on every compiler that tinylm knows. */
#include "tlm_layers.h"

#include "tlm_dot.h"

static void add_biases(tlm_flash_t language, const tlm_dense_t *layer, uint16_t first, uint16_t count, int32_t *sums)
{
    const uint8_t bytes = layer->bias_bytes;
    if (bytes != 0) {
        tlm_biases_add(language + (layer->biases + (tlm_offset_t)bytes * first), bytes, layer->bias_shift, count, sums);
    }
}

#ifndef TLM_OWN_RUNS
void tlm_dense_sums(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                    int32_t *sums)
{
    tlm_dot_rows(language + layer->weights, layer->inputs, first, count, x, sums);
    add_biases(language, layer, first, count, sums);
}
#endif

#ifndef TLM_OWN_SUMS_INT4
void tlm_dense_sums_int4(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first,
                         uint16_t count, int32_t *sums)
{
    tlm_dot_rows_int4(language + layer->weights, layer->inputs, first, count, x, sums);
    add_biases(language, layer, first, count, sums);
}
#endif

#ifndef TLM_OWN_RUNS
/* Apart from tlm_dense_run and its large frame, which costs an AVR four cycles for each byte of it that is reached. */
void tlm_rescale_run(const tlm_rescale_t *by, const int32_t *sums, uint16_t count, int8_t *y)
{
    const tlm_rescale_t scale = *by;
    const int8_t *const end = y + count;
    while (y < end) {
        *y++ = tlm_rescale(&scale, *sums++);
    }
}
#endif

void tlm_dense_run(tlm_flash_t language, const tlm_dense_t *layer, tlm_sums_t *sum, const tlm_rescale_t *by,
                   const int8_t *x, int8_t *y)
{
    int32_t sums[TLM_CHUNK_ROWS];
    uint16_t first = 0;
    while (first < layer->outputs) {
        const uint16_t left = (uint16_t)(layer->outputs - first);
        const uint16_t count = left < TLM_CHUNK_ROWS ? left : (uint16_t)TLM_CHUNK_ROWS;
        sum(language, layer, x, first, count, sums);
        tlm_rescale_run(by, sums, count, y + first);
        first = (uint16_t)(first + count);
    }
}

void tlm_copy(const int8_t *from, uint16_t size, int8_t *to)
{
    for (uint16_t i = 0; i < size; i++) {
        to[i] = from[i];
    }
}

void tlm_fill(int8_t *to, uint16_t size, int8_t value)
{
    for (uint16_t i = 0; i < size; i++) {
        to[i] = value;
    }
}

void tlm_row(tlm_flash_t table, uint16_t size, uint16_t row, int8_t *y)
{
    const tlm_flash_t at = table + (tlm_offset_t)row * size;
    for (uint16_t i = 0; i < size; i++) {
        y[i] = (int8_t)tlm_flash_u8(at + i);
    }
}

void tlm_window_push(int8_t *state, uint16_t ids, uint16_t id)
{
    const uint16_t last = (uint16_t)(2 * ids - 2);
    for (uint16_t i = 0; i < last; i++) {
        state[i] = state[i + 2];
    }
    state[last] = (int8_t)(uint8_t)id;
    state[last + 1] = (int8_t)(uint8_t)(id >> 8);
}
