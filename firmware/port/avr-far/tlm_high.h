/* Arithmetic of 32 bits that the runtime asks for, on an AVR, which multiplies bytes. MULSU leaves its product's sign in the
 * carry. */
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

/* (a - zero_a) (b - zero_b), which is below 2^15. A LOGISTIC's answer is a byte above its zero: one product of bytes then. */
static inline int16_t tlm_offset_product(int8_t a, int8_t zero_a, int8_t b, int8_t zero_b)
{
    if (zero_a == -128 && zero_b == 0) {
        return (int16_t)((uint8_t)(a + 128) * b);
    }
    return (int16_t)((int16_t)(a - zero_a) * (int16_t)(b - zero_b));
}

/* factor * x / 2^16, rounded down, and one of two numbers more, by its sign; factor >= 0, |x| < 2^15. What the compiler knows
 * need not be in registers; the factor's highest byte is often 0 or 1. */
static inline int32_t tlm_scaled(int32_t factor, int16_t x, int32_t add, int32_t add_below)
{
    int32_t y;
    uint8_t low, part, zero;
    if (!__builtin_constant_p(factor) || !__builtin_constant_p(add) || !__builtin_constant_p(add_below)) {
        const int16_t high = (int16_t)(factor >> 16);
        y = (int32_t)high * x + (int16_t)(((int32_t)x * (uint16_t)factor) >> 16);
        return y + (y < 0 ? add_below : add);
    }
    __asm__("clr %[zero]\n\t"
            "ldi %[part], lo8(%[factor])\n\t"
            "mul %A[x], %[part]\n\t"
            "mov %[low], r1\n\t" /* byte 1 of the product; y are bytes 2 to 5 */
            "mul %B[x], %[part]\n\t"
            "mov %A[y], r1\n\t"
            "add %[low], r0\n\t"
            "adc %A[y], %[zero]\n\t"
            "clr %B[y]\n\t"
            "ldi %[part], hi8(%[factor])\n\t"
            "mul %A[x], %[part]\n\t"
            "add %[low], r0\n\t"
            "adc %A[y], r1\n\t"
            "adc %B[y], %[zero]\n\t"
            "mul %B[x], %[part]\n\t"
            "add %A[y], r0\n\t"
            "adc %B[y], r1\n\t"
            "clr %C[y]\n\t"
            "ldi %[part], hlo8(%[factor])\n\t"
            "mul %A[x], %[part]\n\t"
            "add %A[y], r0\n\t"
            "adc %B[y], r1\n\t"
            "adc %C[y], %[zero]\n\t"
            "mul %B[x], %[part]\n\t"
            "add %B[y], r0\n\t"
            "adc %C[y], r1\n\t"
            "clr %D[y]\n"
            ".if %[factor] >= 0x2000000\n\t"
            "ldi %[part], hhi8(%[factor])\n\t"
            "mul %A[x], %[part]\n\t"
            "add %B[y], r0\n\t"
            "adc %C[y], r1\n\t"
            "adc %D[y], %[zero]\n\t"
            "mul %B[x], %[part]\n\t"
            "add %C[y], r0\n\t"
            "adc %D[y], r1\n"
            ".elseif %[factor] >= 0x1000000\n\t"
            "add %B[y], %A[x]\n\t"
            "adc %C[y], %B[x]\n\t"
            "adc %D[y], %[zero]\n"
            ".endif\n\t"
            "clr r1\n\t"
            "sbrc %B[x], 7\n\t"
            "rjmp 1f\n\t"
            "subi %A[y], lo8(-(%[add]))\n\t"
            "sbci %B[y], hi8(-(%[add]))\n\t"
            "sbci %C[y], hlo8(-(%[add]))\n\t"
            "sbci %D[y], hhi8(-(%[add]))\n\t"
            "rjmp 2f\n"
            "1:\n\t" /* x as an unsigned number was 2^16 too much */
            "subi %A[y], lo8(%[factor] - (%[below]))\n\t"
            "sbci %B[y], hi8(%[factor] - (%[below]))\n\t"
            "sbci %C[y], hlo8(%[factor] - (%[below]))\n\t"
            "sbci %D[y], hhi8(%[factor] - (%[below]))\n"
            "2:\n\t"
            : [y] "=&d"(y), [low] "=&r"(low), [part] "=&d"(part), [zero] "=&r"(zero)
            : [x] "r"(x), [factor] "n"(factor), [add] "n"(add), [below] "n"(add_below)
            : "r0");
    return y;
}

/* y + factor * x; |factor| < 2^23: three bytes of it count, the highest with its sign. A factor of 16 bits takes two products. */
static inline int32_t tlm_plus_times(int32_t y, int32_t factor, int8_t x)
{
    uint8_t part;
    if (!__builtin_constant_p(factor)) {
        return y + factor * x;
    }
    if (factor == 0x10000) {
        return y + (int32_t)((uint32_t)(int32_t)x << 16);
    }
    __asm__("ldi %[part], lo8(%[factor])\n\t"
            "mulsu %[x], %[part]\n\t"
            "sbc %[part], %[part]\n\t"
            "add %A[y], r0\n\t"
            "adc %B[y], r1\n\t"
            "adc %C[y], %[part]\n\t"
            "adc %D[y], %[part]\n\t"
            "ldi %[part], hi8(%[factor])\n\t"
            "mulsu %[x], %[part]\n\t"
            "sbc %[part], %[part]\n\t"
            "add %B[y], r0\n\t"
            "adc %C[y], r1\n\t"
            "adc %D[y], %[part]\n"
            ".if %[factor] < 0 || %[factor] >= 0x10000\n\t"
            "ldi %[part], hlo8(%[factor])\n\t"
            "muls %[x], %[part]\n\t"
            "add %C[y], r0\n\t"
            "adc %D[y], r1\n"
            ".endif\n\t"
            "clr r1\n\t"
            : [y] "+r"(y), [part] "=&a"(part)
            : [x] "a"(x), [factor] "n"(factor)
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
    int8_t y;
    __asm__("subi %A[x], 0x80\n\t" /* plus 128: the upper byte is zero where x fits */
            "sbci %B[x], 0xFF\n\t"
            "tst %B[x]\n\t"
            "breq 1f\n\t"
            "subi %A[x], 0x80\n\t" /* x again, for its sign: the sum may have left 16 bits */
            "sbci %B[x], 0\n\t"
            "ldi %A[x], 0xFF\n\t"
            "sbrc %B[x], 7\n\t"
            "ldi %A[x], 0\n"
            "1:\n\t"
            : [x] "+d"(x));
    y = (int8_t)((uint8_t)x - 128);
    return y < least ? least : y;
}

#endif
