/* Flash of an ESP8266: memory that is read by whole aligned words. A load of a byte traps, so no pointer into it is dereferenced:
 * bytes are cut out of words, which only L32I loads, as a compiler might make a narrow load of a wide one. */
#ifndef TLM_PORT_H
#define TLM_PORT_H

#include <stdint.h>

/* A place in the language bytes. Add an offset to move; read with the functions below, never by dereferencing. */
typedef const uint8_t *tlm_flash_t;

/* The word in which a byte lies. */
static inline uint32_t tlm_flash_word(tlm_flash_t at)
{
    uint32_t word;
    __asm__("l32i %0, %1, 0" : "=r"(word) : "r"((uintptr_t)at & ~(uintptr_t)3));
    return word;
}

static inline uint8_t tlm_flash_u8(tlm_flash_t at) { return (uint8_t)(tlm_flash_word(at) >> 8 * ((uintptr_t)at & 3)); }

/* Four bytes, of which those up to at[last] are told: no word behind that one is read. */
static inline uint32_t tlm_flash_cut(tlm_flash_t at, uint8_t last)
{
    uint32_t both = tlm_flash_word(at + last);
    __asm__("ssa8l %1\n\tsrc %0, %0, %2" : "+r"(both) : "r"(at), "r"(tlm_flash_word(at)));
    return both;
}

static inline uint16_t tlm_flash_u16(tlm_flash_t at) { return (uint16_t)tlm_flash_cut(at, 1); }

static inline uint32_t tlm_flash_u24(tlm_flash_t at) { return tlm_flash_cut(at, 2) & 0xFFFFFFU; }

static inline uint32_t tlm_flash_u32(tlm_flash_t at) { return tlm_flash_cut(at, 3); }

/* The rest is for firmware with a serial line (app/main.c); a program that only predicts needs none of it. */
void tlm_port_init(void);
int tlm_port_read(void);            /* waits for a byte; below 0 when there will be no more */
void tlm_port_write(uint8_t byte);  /* waits for room */
tlm_flash_t tlm_port_language(void);

#endif
