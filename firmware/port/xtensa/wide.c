/* Products of 64 bits, which Debian's library for this compiler leaves to the ROM of the ESP8266. By halves, each product
 * below 2^32. Only operators without a cheaper form use them (runtime/tlm_exact.c). */
#include <stdint.h>

uint64_t __umulsidi3(uint32_t a, uint32_t b);
int64_t __muldi3(int64_t a, int64_t b);

uint64_t __umulsidi3(uint32_t a, uint32_t b)
{
    const uint32_t al = a & 0xFFFFU, ah = a >> 16, bl = b & 0xFFFFU, bh = b >> 16;
    const uint32_t low = al * bl;
    const uint32_t first = ah * bl + (low >> 16); /* below (2^16 - 1)^2 + 2^16 < 2^32 */
    const uint32_t second = al * bh + (first & 0xFFFFU);
    const uint32_t high = ah * bh + (first >> 16) + (second >> 16);
    return (uint64_t)high << 32 | (second << 16 | (low & 0xFFFFU));
}

int64_t __muldi3(int64_t a, int64_t b)
{
    const uint32_t al = (uint32_t)(uint64_t)a, ah = (uint32_t)((uint64_t)a >> 32);
    const uint32_t bl = (uint32_t)(uint64_t)b, bh = (uint32_t)((uint64_t)b >> 32);
    return (int64_t)(__umulsidi3(al, bl) + ((uint64_t)(al * bh + ah * bl) << 32));
}
