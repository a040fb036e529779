/* Plain C99: normative. Right shifts of negative numbers are arithmetic on every compiler that tinylm knows. */
#include "tlm_layers.h"

#include "tlm_dot.h"

static void add_biases(tlm_flash_t at, uint8_t bytes, uint8_t shift, uint16_t count, int32_t *sums)
{
    for (uint16_t i = 0; i < count; i++, at += bytes) {
        uint32_t bits;
        if (bytes == 1) {
            bits = (uint32_t)(int32_t)(int8_t)tlm_flash_u8(at);
        } else if (bytes == 2) {
            bits = (uint32_t)(int32_t)(int16_t)tlm_flash_u16(at);
        } else {
            bits = tlm_flash_u32(at);
        }
        sums[i] += (int32_t)(bits << shift);
    }
}

void tlm_dense_sums(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
                    int32_t *sums)
{
    const uint8_t bytes = layer->bias_bytes;
    tlm_dot_rows(language + layer->weights, layer->inputs, first, count, x, sums);
    if (bytes != 0) {
        add_biases(language + (layer->biases + (uint32_t)bytes * first), bytes, layer->bias_shift, count, sums);
    }
}

/* Apart from tlm_dense_run and its large frame, which costs an AVR four cycles for each byte of it that is reached. */
void tlm_rescale_run(const tlm_rescale_t *by, const int32_t *sums, uint16_t count, int8_t *y)
{
    const tlm_rescale_t scale = *by;
    const int8_t *const end = y + count;
    while (y < end) {
        *y++ = tlm_rescale(&scale, *sums++);
    }
}

void tlm_dense_run(tlm_flash_t language, const tlm_dense_t *layer, const tlm_rescale_t *by, const int8_t *x, int8_t *y)
{
    int32_t sums[TLM_CHUNK_ROWS];
    for (uint16_t first = 0; first < layer->outputs; first = (uint16_t)(first + TLM_CHUNK_ROWS)) {
        uint16_t left = (uint16_t)(layer->outputs - first);
        uint16_t count = left < TLM_CHUNK_ROWS ? left : (uint16_t)TLM_CHUNK_ROWS;
        tlm_dense_sums(language, layer, x, first, count, sums);
        tlm_rescale_run(by, sums, count, y + first);
    }
}

void tlm_copy(const int8_t *from, uint16_t size, int8_t *to)
{
    for (uint16_t i = 0; i < size; i++) {
        to[i] = from[i];
    }
}
