/* The smallest firmware: answers the first byte with how the language looks from the chip, then echoes every byte. */
#include "board.h"
#include "tlm_dot.h"
#include "tlm_offset.h"

#include "echo.h"

/* CRC-32 (IEEE, reflected) of the language bytes, bit by bit. */
static uint32_t language_crc(void)
{
    uint32_t crc = 0xFFFFFFFFUL;
    for (tlm_offset_t i = 0; i < ECHO_LANGUAGE_BYTES; i++) {
        crc ^= tlm_flash_u8(tlm_port_language() + i);
        for (uint8_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320UL : 0);
        }
    }
    return crc ^ 0xFFFFFFFFUL;
}

typedef void rows_t(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums);
typedef void row_t(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y);

/* Rows of the language times a vector, and rows read, for sizes around every kernel's edges and any first row, added to a sum. */
static uint32_t dot_sum(rows_t *dot_rows, row_t *dot_row, uint32_t sum)
{
    static int8_t x[602], y[600];
    static int32_t sums[9];
    for (uint16_t i = 0; i < 602; i++) {
        x[i] = (int8_t)tlm_flash_u8(tlm_port_language() + 1000 + i);
    }
    for (uint16_t count = 0; count <= 600; count = (uint16_t)(count < 70 ? count + 1 : count + 29)) {
        const uint16_t rows = (uint16_t)(1 + count % 9), first = count % 7;
        dot_rows(tlm_port_language() + (tlm_offset_t)ECHO_DOT_AT, count, first, rows, x + count % 3, sums);
        dot_row(tlm_port_language() + (tlm_offset_t)ECHO_DOT_AT, count, first, y);
        for (uint16_t row = 0; row < rows; row++) {
            sum = sum * 31 + (uint32_t)sums[row];
        }
        for (uint16_t i = 0; i < count; i++) {
            const int32_t weight = y[i];
            sum = sum * 31 + (uint32_t)weight;
        }
    }
    return sum;
}

static void write_hex(uint32_t value)
{
    for (uint8_t i = 0; i < 8; i++, value <<= 4) {
        tlm_port_write((uint8_t)"0123456789abcdef"[value >> 28]);
    }
}

static volatile uint32_t from_data = 0x600DDA7AUL; /* right only when .data was copied */
static volatile uint32_t from_bss;                 /* right only when .bss was cleared */

int main(void)
{
    int byte;
    tlm_port_init();
    (void)tlm_port_read();
    write_hex(from_data + from_bss);
    write_hex(language_crc());
    write_hex(dot_sum(tlm_dot_rows_int4, tlm_dot_row_int4, dot_sum(tlm_dot_rows, tlm_dot_row, 0)));
    write_hex(tlm_flash_u32(tlm_port_language() + (tlm_offset_t)ECHO_DOT_AT + 1) ^ tlm_flash_u24(tlm_port_language() + (tlm_offset_t)ECHO_FAR_AT) ^
              tlm_flash_u16(tlm_port_language() + 3));
    while ((byte = tlm_port_read()) >= 0) {
        tlm_port_write((uint8_t)byte);
    }
    return 0;
}
