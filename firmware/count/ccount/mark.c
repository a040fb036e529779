/* Marks for an Xtensa core in an emulator whose time goes by instructions (QEMU's -icount, ours): CCOUNT counts up 32 bits. */
#include "tlm_count.h"
#include "tlm_ticks.h"

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
    const uint32_t ticks = read_ticks() - begun;
    tlm_ticks_write(ticks, HEX_DIGITS);
    tlm_port_write(')');
}

void tlm_count_known(void)
{
    uint32_t left = KNOWN_LOOPS; /* two instructions each */
    tlm_count_begin('c');
    __asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+a"(left));
    tlm_count_end();
}
