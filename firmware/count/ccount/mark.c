/* Marks for an Xtensa core in an emulator whose time goes by instructions (QEMU's -icount): CCOUNT counts up 32 bits. */
#include "tlm_count.h"
#include "tlm_port.h"

enum { HEX_DIGITS = 8, KNOWN_LOOPS = 1 << 16 };

static uint32_t begun;

static inline uint32_t read_ticks(void)
{
    uint32_t ticks;
    __asm__ volatile("rsr.ccount %0" : "=a"(ticks) : : "memory");
    return ticks;
}

void tlm_count_begin(uint8_t what)
{
    tlm_port_write(what);
    tlm_port_write('(');
    begun = read_ticks();
}

void tlm_count_end(void)
{
    uint32_t ticks = read_ticks() - begun;
    for (uint8_t i = 0; i < HEX_DIGITS; i++) {
        const uint8_t digit = (uint8_t)(ticks >> 28);
        tlm_port_write((uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10));
        ticks <<= 4;
    }
    tlm_port_write(')');
}

void tlm_count_known(void)
{
    uint32_t left = KNOWN_LOOPS; /* two instructions each */
    tlm_count_begin('c');
    __asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+a"(left));
    tlm_count_end();
}
