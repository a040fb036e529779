/* Arithmetic of 32 bits that the runtime asks for, on an AVR with little flash: short rather than fast. */
#ifndef TLM_HIGH_H
#define TLM_HIGH_H

#include <stdint.h>

/* a * b / 2^32, rounded down; b >= 0. high.S; some 190 cycles. */
int32_t tlm_high(int32_t a, int32_t b);

/* factor * x / 2^16, rounded down; factor >= 0, |x| < 2^15. */
static inline int32_t tlm_times_high(int32_t factor, int16_t x) { return tlm_high((int32_t)x * 65536L, factor); }

/* x * 2^shift, which fits. */
static inline int32_t tlm_up(int32_t x, uint8_t shift) { return (int32_t)((uint32_t)x << shift); }

/* x / 2^shift, rounded down; 16 <= shift <= 23: 16 bits hold it. */
static inline int16_t tlm_down(int32_t x, uint8_t shift) { return (int16_t)((int16_t)(x >> 16) >> (shift - 16)); }

/* x, but at least `least` and at most 127. */
static inline int8_t tlm_clamp(int16_t x, int8_t least)
{
    x = x < least ? least : x;
    return (int8_t)(x > 127 ? 127 : x);
}

#endif
