/* The four functions that a compiler may call by itself, and strlen, for chips whose compiler brings no C library. */
#ifndef TLM_STRING_H
#define TLM_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

#ifdef __cplusplus
}
#endif
#endif
