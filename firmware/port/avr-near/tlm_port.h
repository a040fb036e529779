/* Port: AVR with at most 64 KB of flash (ATmega328P). Flash is not memory: a place in it is a 16-bit number, read by LPM. */
#ifndef TLM_PORT_H
#define TLM_PORT_H

#include <avr/pgmspace.h>
#include <stdint.h>

/* A place in the language bytes. Add an offset to move; read with the functions below. */
#define TLM_FLASH_BY_NUMBER
#define TLM_CHUNK_ROWS 1
#define TLM_OWN_SUMS_INT4 /* rows_int4.S */
#define TLM_OWN_ELEMENTS  /* elements.S */
typedef uint16_t tlm_flash_t;

extern const uint8_t tlm_language[];
#define TLM_LANGUAGE_AT(language) ((tlm_flash_t)tlm_language)

static inline uint8_t tlm_flash_u8(tlm_flash_t at) { return pgm_read_byte(at); }

static inline uint16_t tlm_flash_u16(tlm_flash_t at) { return pgm_read_word(at); }

static inline uint32_t tlm_flash_u24(tlm_flash_t at) { return tlm_flash_u16(at) | ((uint32_t)tlm_flash_u8(at + 2) << 16); }

static inline uint32_t tlm_flash_u32(tlm_flash_t at) { return pgm_read_dword(at); }

/* The rest is for firmware with a serial line (app/main.c); a program that only predicts needs none of it. */
void tlm_port_init(void);
int tlm_port_read(void);            /* waits for a byte; below 0 when there will be no more */
void tlm_port_write(uint8_t byte);  /* waits for room */
tlm_flash_t tlm_port_language(void);

#endif
