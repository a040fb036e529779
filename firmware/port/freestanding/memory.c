/* The functions of string.h. The empty asm keeps the compiler from turning a loop into a call of itself. */
#include "string.h"

#include <stdint.h>

#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

enum { WORD = sizeof(uint32_t) };

/* Words while both sides are aligned (an engine's state is), then bytes. */
void *memcpy(void *to, const void *from, size_t bytes)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & (WORD - 1)) == 0) {
        for (; bytes >= WORD; bytes -= WORD, t += WORD, f += WORD) {
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
            KEEP_LOOP();
        }
    }
    for (; bytes != 0; bytes--) {
        *t++ = *f++;
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if ((uintptr_t)t <= (uintptr_t)f) {
        return memcpy(to, from, bytes);
    }
    while (bytes != 0) {
        bytes--;
        t[bytes] = f[bytes];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    unsigned char *t = to;
    for (; bytes != 0; bytes--) {
        *t++ = (unsigned char)value;
        KEEP_LOOP();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *p = a, *q = b;
    for (; bytes != 0; bytes--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
        KEEP_LOOP();
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t bytes = 0;
    while (text[bytes] != '\0') {
        bytes++;
        KEEP_LOOP();
    }
    return bytes;
}
