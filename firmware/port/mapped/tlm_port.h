/* Flash that is memory (Cortex-M, ESP32, ESP32-C3, a computer): the reference for every other tlm_port.h. Knows no chip. */
#ifndef TLM_PORT_H
#define TLM_PORT_H

#include <stdint.h>

/* A place in the language bytes. Add an offset to move; read with the functions below, never by dereferencing. */
typedef const uint8_t *tlm_flash_t;

static inline uint8_t tlm_flash_u8(tlm_flash_t at) { return at[0]; }

static inline uint16_t tlm_flash_u16(tlm_flash_t at) { return (uint16_t)(at[0] | (uint16_t)(at[1] << 8)); }

static inline uint32_t tlm_flash_u24(tlm_flash_t at) { return tlm_flash_u16(at) | ((uint32_t)at[2] << 16); }

static inline uint32_t tlm_flash_u32(tlm_flash_t at)
{
    return tlm_flash_u16(at) | ((uint32_t)tlm_flash_u16(at + 2) << 16);
}

/* The rest is for firmware with a serial line (app/main.c); a program that only predicts needs none of it. */
void tlm_port_init(void);
int tlm_port_read(void);            /* waits for a byte; below 0 when there will be no more */
void tlm_port_write(uint8_t byte);  /* waits for room */
tlm_flash_t tlm_port_language(void);

#endif
