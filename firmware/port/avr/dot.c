/* The dot product of an AVR: 11 cycles a multiply-accumulate and 3 a loop of eight. Equal to the host's, bit for bit. */
#include <avr/io.h>

#include "tlm_dot.h"

/* MULS leaves the sign of its 16-bit product in the carry, so SBC makes the third byte of it. */
#define MAC                     \
    "elpm %[w], Z+"      "\n\t" \
    "ld %[v], X+"        "\n\t" \
    "muls %[w], %[v]"    "\n\t" \
    "sbc %[w], %[w]"     "\n\t" \
    "add %[a0], r0"      "\n\t" \
    "adc %[a1], r1"      "\n\t" \
    "adc %[a2], %[w]"    "\n\t"

enum { GROUP = 8, MAX_GROUPS = 32 };

/* 8 * groups products (1..32 groups) added in 24 bits: |sum| <= 2^14 * 256 = 2^22. RAMPZ:Z steps over 64 KB by itself. */
static int32_t dot_groups(tlm_flash_t weights, const int8_t *x, uint8_t groups)
{
    uint16_t z = (uint16_t)weights;
    uint8_t a0 = 0, a1 = 0, a2 = 0, w, v;
    __asm__ volatile(
        "out %[rampz], %[bank]\n\t"
        "1:\n\t"
        MAC MAC MAC MAC MAC MAC MAC MAC
        "dec %[groups]\n\t"
        "brne 1b\n\t"
        "clr r1\n\t"
        : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [w] "=&d"(w), [v] "=&d"(v), [groups] "+r"(groups), "+z"(z),
          "+x"(x)
        : [bank] "r"((uint8_t)(weights >> 16)), [rampz] "I"(_SFR_IO_ADDR(RAMPZ))
        : "r0", "memory");
    return (int32_t)((uint32_t)a2 << 24 | (uint32_t)a1 << 16 | (uint32_t)a0 << 8) >> 8;
}

static int32_t dot(tlm_flash_t weights, const int8_t *x, uint16_t count)
{
    int32_t sum = 0;
    while (count >= GROUP) {
        uint8_t groups = MAX_GROUPS;
        if (count < GROUP * MAX_GROUPS) {
            groups = (uint8_t)(count / GROUP);
        }
        uint16_t done = (uint16_t)(groups * GROUP);
        sum += dot_groups(weights, x, groups);
        weights += done;
        x += done;
        count = (uint16_t)(count - done);
    }
    for (; count != 0; count--) {
        sum += (int16_t)((int8_t)tlm_flash_u8(weights++) * *x++);
    }
    return sum;
}

void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
{
    matrix += (uint32_t)first * inputs;
    for (uint16_t row = 0; row < rows; row++) {
        sums[row] = dot(matrix, x, inputs);
        matrix += inputs;
    }
}

void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
{
    matrix += (uint32_t)row * inputs;
    for (uint16_t i = 0; i < inputs; i++) {
        y[i] = (int8_t)tlm_flash_u8(matrix + i);
    }
}
