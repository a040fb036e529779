/* Arithmetic of 32 bits that the runtime asks for, on a core that multiplies 32 x 32 -> 32 bits (Armv6-M, Xtensa). */
#ifndef TLM_HIGH_H
#define TLM_HIGH_H

#include <stdint.h>

/* a * b / 2^32, rounded down; b >= 0. By halves: each partial product and its carry stay below 2^31 in size, as
 * |ah| <= 2^15, bh < 2^15 and the low halves are below 2^16. */
static inline int32_t tlm_high(int32_t a, int32_t b)
{
    const uint32_t al = (uint32_t)a & 0xFFFFU, bl = (uint32_t)b & 0xFFFFU;
    const int32_t ah = a >> 16, bh = b >> 16;
    const int32_t first = ah * (int32_t)bl + (int32_t)((al * bl) >> 16);
    const int32_t second = (int32_t)al * bh + (int32_t)((uint32_t)first & 0xFFFFU);
    return ah * bh + (first >> 16) + (second >> 16);
}

/* factor * x / 2^16, rounded down; factor >= 0, |x| < 2^15, so that both products stay below 2^31. */
static inline int32_t tlm_times_high(int32_t factor, int16_t x)
{
    return (factor >> 16) * x + (((factor & 0xFFFF) * x) >> 16);
}

/* x * 2^shift, which fits. */
static inline int32_t tlm_up(int32_t x, uint8_t shift) { return (int32_t)((uint32_t)x << shift); }

/* x / 2^shift, rounded down; 16 <= shift <= 23. */
static inline int32_t tlm_down(int32_t x, uint8_t shift) { return x >> shift; }

/* x, but at least `least` and at most 127. */
static inline int8_t tlm_clamp(int32_t x, int8_t least)
{
    x = x < least ? least : x;
    return (int8_t)(x > 127 ? 127 : x);
}

#endif
