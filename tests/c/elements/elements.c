/* A port's own arithmetic of rows and elements beside plain C with 64-bit products, for many numbers; answers the first byte with how
 * many answers were compared and how many differed, in hexadecimal. */
#include "board.h"
#include "tlm_layers.h"

enum { ROWS = 64, ROUNDS = 200, BIAS_ROWS = 9 };

static uint32_t seed = 1, compared, different;

static uint32_t draw(void)
{
    seed = seed * 1664525UL + 1013904223UL;
    return seed >> 8 ^ seed << 20;
}

static void compare(int32_t got, int32_t expected)
{
    compared++;
    different += got != expected;
}

static int8_t clamp(int32_t x, int8_t least)
{
    return (int8_t)(x < least ? least : x > 127 ? 127 : x);
}

/* Forms as tinylm/forms.py makes them: factor << up has five bytes, of which the first or the last is zero. */
static void try_rescaling(uint8_t round)
{
    const uint8_t left = (uint8_t)(8 + draw() % 15), shift = (uint8_t)(16 + 2 * (draw() % 4)), wide = round & 1U;
    const uint8_t up = (uint8_t)(left < 16 ? left - 8 : left - 16);
    int32_t factor = (int32_t)(draw() & 0x7FFFFFFFUL), sums[ROWS];
    int8_t y[ROWS];
    if (wide != 0) {
        factor &= (int32_t)(0xFFFFFFFFUL << (8 - up));
    } else {
        factor >>= up > 0 ? up - 1 : 0;
    }
    const tlm_rescale_t by = {factor, (int32_t)(draw() & 0xFFFFF), (int32_t)(draw() & 0xFFFFF) - 0x8000, shift, left,
                              round % 5 == 0 ? (int8_t)draw() : (int8_t)-128};
    for (uint8_t i = 0; i < ROWS; i++) { /* every size of sum that `left` allows, below 2^23 */
        const uint8_t most = left > 8 ? (uint8_t)(left - 8) : 0;
        sums[i] = (int32_t)(draw() << 8) >> (uint8_t)(9U + most + draw() % (22U - most));
        if (i < 4) {
            sums[i] = i < 2 ? -(int32_t)i : (i == 2 ? (1L << (23 - most)) - 1 : -(1L << (23 - most)) + 1);
        }
    }
#ifdef TLM_OWN_RUNS
    tlm_rescale_run(&by, sums, ROWS, y);
#else
    for (uint8_t i = 0; i < ROWS; i++) {
        y[i] = tlm_rescale(&by, sums[i]);
    }
#endif
    for (uint8_t i = 0; i < ROWS; i++) {
        const int32_t v = (int32_t)(((int64_t)(sums[i] * (1L << left)) * factor) >> 32);
        compare(y[i], clamp((v + (v < 0 ? by.add_below : by.add)) >> shift, by.least));
    }
}

#define TRY_PRODUCT(factor, add, below)                                                                                    \
    for (int32_t x = -32640; x <= 32640; x += 37) {                                                                        \
        const int32_t v = (int32_t)(((int64_t)(factor) * x) >> 16);                                                        \
        compare(tlm_scaled(factor, (int16_t)x, add, below), v + (v < 0 ? (below) : (add)));                                \
    }

#define TRY_TIMES(factor)                                                                                                  \
    for (int16_t x = -128; x < 128; x++) {                                                                                 \
        const int32_t y = (int32_t)(draw() & 0x1FFFFFFFUL) - 0x10000000L;                                                  \
        compare(tlm_plus_times(y, factor, (int8_t)x), y + (factor) * x);                                                   \
    }

static void try_clamps(void)
{
    for (int32_t x = -32768; x < 32768; x += 13) {
        compare(tlm_clamp((int16_t)x, -128), clamp(x, -128));
        compare(tlm_clamp((int16_t)x, 5), clamp(x, 5));
    }
}

static void try_operators(uint8_t round)
{
    const int8_t least = round % 5 == 0 ? (int8_t)draw() : (int8_t)-128, zero_a = (int8_t)draw();
    const int8_t zero_b = round % 2 == 0 ? (int8_t)(draw() % 64) : (int8_t)(127 - draw() % 3); /* products below 2^15 */
    const uint8_t shift = (uint8_t)(16 + draw() % 8);
    const tlm_sum_t sum = {(int32_t)(draw() << 8) >> 9, (int32_t)(draw() << 8) >> (9 + round % 8), (int32_t)draw() >> 3, shift,
                           least};
    const tlm_product_t product = {(int32_t)(draw() >> (1 + round % 16)), (int32_t)(draw() & 0xFFFFF), (int32_t)(draw() & 0xFFFF),
                                   shift, zero_a, zero_b, least};
    for (uint8_t i = 0; i < ROWS; i++) {
        const int8_t a = i == 0 ? (int8_t)-128 : (int8_t)draw(), b = (int8_t)(draw() >> 3);
        const int32_t v = sum.add + sum.by_a * a + sum.by_b * b, difference = ((int32_t)a - zero_a) * ((int32_t)b - zero_b);
        compare(tlm_sum(&sum, a, b), clamp(v >> shift, least));
        if (difference > -32768 && difference < 32768) {
            const int32_t w = (int32_t)(((int64_t)product.factor * difference) >> 16);
            const int64_t added = (int64_t)w + (w < 0 ? product.add_below : product.add);
            if (added < 0x7FFFFFFF) {
                compare(tlm_product(&product, a, b), clamp((int32_t)added >> shift, least));
            }
        }
    }
}

#ifdef TLM_OWN_RUNS
static void try_biases(uint8_t bytes, uint8_t shift)
{
    int32_t sums[BIAS_ROWS];
    tlm_flash_t at = tlm_port_language() + 17;
    for (uint8_t i = 0; i < BIAS_ROWS; i++) {
        sums[i] = (int32_t)i * 1000 - 4000;
    }
    tlm_biases_add(at, bytes, shift, BIAS_ROWS, sums);
    for (uint8_t i = 0; i < BIAS_ROWS; i++) {
        uint32_t bits = 0;
        for (uint8_t b = 0; b < bytes; b++) {
            bits |= (uint32_t)tlm_flash_u8(at++) << (8 * b + 32 - 8 * bytes);
        }
        const int32_t bias = (int32_t)bits >> (32 - 8 * bytes);
        compare(sums[i], (int32_t)((uint32_t)((int32_t)i * 1000 - 4000) + ((uint32_t)bias << shift)));
    }
}

#endif

static void write_hex(uint32_t value)
{
    for (uint8_t i = 0; i < 8; i++, value <<= 4) {
        tlm_port_write((uint8_t)"0123456789abcdef"[value >> 28]);
    }
}

int main(void)
{
    tlm_port_init();
    (void)tlm_port_read();
    for (uint8_t round = 0; round < ROUNDS; round++) {
        try_rescaling(round);
        try_operators(round);
    }
    TRY_PRODUCT(32276191L, 33021L, 32514L)
    TRY_PRODUCT(16777215L, 33021L, 32514L)
    TRY_PRODUCT(0x2000000L, 1L, 0L)
    TRY_PRODUCT(2065676216L, 2113363L, 2080941L)
    TRY_PRODUCT(1L, -70000L, 70000L)
    TRY_TIMES(0x10000L)
    TRY_TIMES(65535L)
    TRY_TIMES(151812L)
    TRY_TIMES(-151812L)
    TRY_TIMES(-1L)
    TRY_TIMES(8388607L)
    TRY_TIMES(-8388607L)
    try_clamps();
#ifdef TLM_OWN_RUNS
    for (uint8_t bytes = 3; bytes <= 4; bytes++) {
        try_biases(bytes, 0);
        try_biases(bytes, 3);
    }
    try_biases(1, 6);
    try_biases(2, 7);
#endif
    write_hex(compared);
    write_hex(different);
    (void)tlm_port_read();
    return 0;
}
