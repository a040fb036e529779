/* The kernel of layout quads for cores whose fastest multiply is 32 x 32 -> 32 bits; little-endian.
 *
 * Three multiplies serve four rows. With M = sum of u x for each row, modulo 2^32:
 *     a = sum of w x                      = M0 + 2^8 M1 + 2^16 M2 + 2^24 M3
 *     b = sum of ((w >> 8) & 0xFF00FF) x  = M1 + 2^16 M3
 *     c = sum of (w >> 16) x              = M2 + 2^8 M3
 * so a - 2^8 b - 2^16 c = M0 - 2^24 M3. |M| <= 255 * 128 * 256 < 2^23 over at most 256 inputs: the low 24 bits say what M0 is,
 * the rest the low byte of M3; with that b says M1 and the second byte of M3, and c says M2 and the third.
 */
#include "tlm_quad.h"

static uint32_t load_word(const uint8_t *at)
{
    uint32_t word;
    __builtin_memcpy(&word, __builtin_assume_aligned(at, sizeof word), sizeof word);
    return word;
}

/* The signed number in the low 24 bits. */
static uint32_t low_24(uint32_t value)
{
    return (uint32_t)((int32_t)(value << 8) >> 8);
}

typedef struct {
    uint32_t a, b, c;
} quad_t;

/* One input more: the word at `at` times x. */
static inline void add_word(quad_t *sums, const uint8_t *at, int8_t x)
{
    const uint32_t w = load_word(at), v = (uint32_t)(int32_t)x;
    sums->a += w * v;
    sums->b += ((w >> 8) & 0x00FF00FFU) * v;
    sums->c += (w >> 16) * v;
    /* Keeps the words in order: gcc would else load eight first and run out of registers. */
    __asm__("" : "+r"(sums->a), "+r"(sums->b), "+r"(sums->c) : : "memory");
}

void tlm_dot_quad(tlm_flash_t weights, const int8_t *x, uint16_t count, uint32_t offset, uint32_t *sums)
{
    const int8_t *const end = x + count;
    quad_t quad = {0, 0, 0};
    for (; end - x >= 8; x += 8, weights += 32) {
        add_word(&quad, weights, x[0]);
        add_word(&quad, weights + 4, x[1]);
        add_word(&quad, weights + 8, x[2]);
        add_word(&quad, weights + 12, x[3]);
        add_word(&quad, weights + 16, x[4]);
        add_word(&quad, weights + 20, x[5]);
        add_word(&quad, weights + 24, x[6]);
        add_word(&quad, weights + 28, x[7]);
    }
    for (; x < end; x++, weights += 4) {
        add_word(&quad, weights, *x);
    }
    uint32_t a = quad.a, b = quad.b, c = quad.c;
    a -= (b << 8) + (c << 16); /* M0 - 2^24 M3 */
    const uint32_t m0 = low_24(a), low = (m0 - a) >> 24;
    b -= low << 16; /* M1 + 2^24 (M3 >> 8) */
    const uint32_t m1 = low_24(b), middle = (b - m1) >> 24;
    c -= (low | middle << 8) << 8; /* M2 + 2^24 (M3 >> 16) */
    const uint32_t m2 = low_24(c), high = (c - m2) >> 24;
    sums[0] = m0 - offset;
    sums[1] = m1 - offset;
    sums[2] = m2 - offset;
    sums[3] = low_24(low | middle << 8 | high << 16) - offset;
}
