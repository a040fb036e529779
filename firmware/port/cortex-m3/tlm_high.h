/* Arithmetic of 32 bits that the runtime asks for, on a Cortex-M3: it multiplies 32 x 32 -> 64 bits, without DSP. */
#ifndef TLM_HIGH_H
#define TLM_HIGH_H

#include <stdint.h>

/* a * b / 2^32, rounded down; b >= 0. */
static inline int32_t tlm_high(int32_t a, int32_t b) { return (int32_t)(((int64_t)a * b) >> 32); }

/* factor * x / 2^16, rounded down; factor >= 0, |x| < 2^15. */
static inline int32_t tlm_times_high(int32_t factor, int16_t x) { return (int32_t)(((int64_t)factor * x) >> 16); }

/* x * 2^shift, which fits. */
static inline int32_t tlm_up(int32_t x, uint8_t shift) { return (int32_t)((uint32_t)x << shift); }

/* x / 2^shift, rounded down; 16 <= shift <= 23. */
static inline int32_t tlm_down(int32_t x, uint8_t shift) { return x >> shift; }

/* x, but at least `least` and at most 127. */
static inline int8_t tlm_clamp(int32_t x, int8_t least)
{
    int32_t y;
    __asm__("ssat %0, #8, %1" : "=r"(y) : "r"(x) : "cc");
    if (y < -128 || y > 127) {
        __builtin_unreachable(); /* so that it is not sign-extended again */
    }
    return (int8_t)(y < least ? least : y);
}

#endif
