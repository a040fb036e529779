/* Layout halves, on any chip: a byte holds a weight of the first half of a row's inputs (low) and one of the second (high).
 * Normative. Weights are multiplied as 16 times what they are, which needs no sign extension. */
#include "tlm_dot.h"
#include "tlm_offset.h"

enum { SIXTEENTH = 4 };

static int8_t low(uint8_t both)
{
    return (int8_t)(uint8_t)(both << 4);
}

static int8_t high(uint8_t both)
{
    return (int8_t)(uint8_t)(both & 0xF0U);
}

void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const int8_t *const other = x + bytes; /* what the high halves are multiplied by */
    tlm_flash_t at = matrix + (tlm_offset_t)first * bytes;
    for (uint16_t row = 0; row < rows; row++, at += bytes) {
        int32_t sum = 0; /* |16 w x| <= 2^7 * 2^7 * 2^12 = 2^26 */
        for (uint16_t i = 0; i < pairs; i++) {
            const uint8_t both = tlm_flash_u8(at + i);
            sum += (int16_t)(low(both) * x[i]);
            sum += (int16_t)(high(both) * other[i]);
        }
        if (pairs < bytes) { /* of an odd number the last: its high half holds nothing */
            sum += (int16_t)(low(tlm_flash_u8(at + pairs)) * x[pairs]);
        }
        sums[row] = sum >> SIXTEENTH;
    }
}

void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    const uint16_t pairs = inputs / 2, bytes = (uint16_t)(inputs - pairs);
    const tlm_flash_t at = matrix + (tlm_offset_t)row * bytes;
    for (uint16_t i = 0; i < bytes; i++) {
        const uint8_t both = tlm_flash_u8(at + i);
        y[i] = (int8_t)(low(both) >> SIXTEENTH);
        if (i < pairs) {
            y[bytes + i] = (int8_t)(high(both) >> SIXTEENTH);
        }
    }
}
