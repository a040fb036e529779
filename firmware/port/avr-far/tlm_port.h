/* Port: AVR with ELPM (ATmega1280, 2560). Flash is not memory: a place in it is a 24-bit number, read by ELPM. */
#ifndef TLM_PORT_H
#define TLM_PORT_H

#include <avr/io.h>
#include <avr/pgmspace.h>
#include <stdint.h>

/* A place in the language bytes. Add an offset to move; read with the functions below. */
#define TLM_OWN_RUNS /* dot.c, run.S */
#define TLM_FLASH_BY_NUMBER
typedef __uint24 tlm_flash_t;

static inline uint8_t tlm_flash_u8(tlm_flash_t at)
{
    uint8_t byte;
    __asm__("out %[rampz], %C[at]\n\t"
            "movw r30, %A[at]\n\t"
            "elpm %[byte], Z"
            : [byte] "=r"(byte)
            : [at] "r"(at), [rampz] "I"(_SFR_IO_ADDR(RAMPZ))
            : "r30", "r31");
    return byte;
}

static inline uint16_t tlm_flash_u16(tlm_flash_t at) { return pgm_read_word_far(at); }

static inline uint32_t tlm_flash_u24(tlm_flash_t at) { return tlm_flash_u16(at) | ((uint32_t)tlm_flash_u8(at + 2) << 16); }

static inline uint32_t tlm_flash_u32(tlm_flash_t at) { return pgm_read_dword_far(at); }

/* The rest is for firmware with a serial line (app/main.c); a program that only predicts needs none of it. */
void tlm_port_init(void);
int tlm_port_read(void);            /* waits for a byte; below 0 when there will be no more */
void tlm_port_write(uint8_t byte);  /* waits for room */
tlm_flash_t tlm_port_language(void);

#endif
