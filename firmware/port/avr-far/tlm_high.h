/* Arithmetic of 32 bits that the runtime asks for, on an AVR, which multiplies bytes. */
#ifndef TLM_HIGH_H
#define TLM_HIGH_H

#include <stdint.h>

/* a * b / 2^32, rounded down; b >= 0. By halves of 16 bits, for which the compiler's library has short routines: each partial
 * product and its carry stay below 2^31 in size, as |ah| <= 2^15, bh < 2^15 and the low halves are below 2^16. */
static inline int32_t tlm_high(int32_t a, int32_t b)
{
    const uint16_t al = (uint16_t)a, bl = (uint16_t)b;
    const int16_t ah = (int16_t)(a >> 16), bh = (int16_t)(b >> 16);
    const int32_t first = (int32_t)ah * bl + (uint16_t)(((uint32_t)al * bl) >> 16);
    const int32_t second = (int32_t)bh * al + (uint16_t)first;
    return (int32_t)ah * bh + (int16_t)(first >> 16) + (int16_t)(second >> 16);
}

/* factor * x / 2^16, rounded down; factor >= 0, |x| < 2^15, so that both products stay below 2^31. */
static inline int32_t tlm_times_high(int32_t factor, int16_t x)
{
    const int16_t high = (int16_t)(factor >> 16);
    return (int32_t)high * x + (int16_t)(((int32_t)x * (uint16_t)factor) >> 16);
}

/* factor * x; |factor| < 2^23: three bytes of it count, the highest with its sign. */
static inline int32_t tlm_times(int32_t factor, int8_t x)
{
    int32_t y;
    uint8_t sign;
    __asm__("mulsu %[x], %A[factor]\n\t"
            "movw %A[y], r0\n\t"
            "sbc %C[y], %C[y]\n\t" /* MULSU's carry is the product's sign */
            "mov %D[y], %C[y]\n\t"
            "mulsu %[x], %B[factor]\n\t"
            "sbc %[sign], %[sign]\n\t"
            "add %B[y], r0\n\t"
            "adc %C[y], r1\n\t"
            "adc %D[y], %[sign]\n\t"
            "muls %[x], %C[factor]\n\t"
            "add %C[y], r0\n\t"
            "adc %D[y], r1\n\t"
            "clr r1\n\t"
            : [y] "=&r"(y), [sign] "=&r"(sign)
            : [x] "a"(x), [factor] "a"(factor)
            : "r0");
    return y;
}

/* x * 2^shift, which fits. Whole bytes cost nothing. */
static inline int32_t tlm_up(int32_t x, uint8_t shift)
{
    uint32_t bits = (uint32_t)x;
    if (shift >= 8) {
        bits <<= 8;
        shift = (uint8_t)(shift - 8);
    }
    return (int32_t)(bits << shift);
}

/* x / 2^shift, rounded down; 16 <= shift <= 23: 16 bits hold it. Whole bytes cost nothing. */
static inline int16_t tlm_down(int32_t x, uint8_t shift) { return (int16_t)((int16_t)(x >> 16) >> (shift - 16)); }

/* x, but at least `least` and at most 127. */
static inline int8_t tlm_clamp(int16_t x, int8_t least)
{
    x = x < least ? least : x;
    return (int8_t)(x > 127 ? 127 : x);
}

#endif
