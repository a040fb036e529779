/* Division, which the core has no instruction for and Debian's library for this compiler leaves to the ROM: one bit a turn, as many
 * turns as the quotient has bits. A divisor of 0 gives anything. */
#include <stdint.h>

uint32_t __udivsi3(uint32_t n, uint32_t d);
uint32_t __umodsi3(uint32_t n, uint32_t d);
int32_t __divsi3(int32_t n, int32_t d);
int32_t __modsi3(int32_t n, int32_t d);

typedef struct {
    uint32_t quotient, rest;
} divided_t;

static divided_t divide(uint32_t n, uint32_t d)
{
    divided_t result = {0, n};
    if (d != 0 && d <= n) {
        int left = __builtin_clz(d) - __builtin_clz(n);
        for (d <<= left; left >= 0; left--, d >>= 1) {
            result.quotient <<= 1;
            if (result.rest >= d) {
                result.rest -= d;
                result.quotient |= 1U;
            }
        }
    }
    return result;
}

static uint32_t size_of(int32_t value)
{
    return value < 0 ? 0U - (uint32_t)value : (uint32_t)value;
}

uint32_t __udivsi3(uint32_t n, uint32_t d)
{
    return divide(n, d).quotient;
}

uint32_t __umodsi3(uint32_t n, uint32_t d)
{
    return divide(n, d).rest;
}

int32_t __divsi3(int32_t n, int32_t d)
{
    const uint32_t quotient = divide(size_of(n), size_of(d)).quotient;
    return (int32_t)((n ^ d) < 0 ? 0U - quotient : quotient);
}

int32_t __modsi3(int32_t n, int32_t d)
{
    const uint32_t rest = divide(size_of(n), size_of(d)).rest;
    return (int32_t)(n < 0 ? 0U - rest : rest);
}
