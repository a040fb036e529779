/* Marks for a Cortex-M in an emulator whose time goes by instructions (QEMU's -icount): SysTick counts down 24 bits. */
#include "tlm_count.h"
#include "tlm_ticks.h"

enum { ENABLE_CORE_CLOCK = 5, MOST = 0xFFFFFF, HEX_DIGITS = 6, KNOWN_LOOPS = 1 << 16 };

static volatile uint32_t *const control = (volatile uint32_t *)0xE000E010; /* then reload, current */

static uint32_t begun;

void tlm_count_begin(uint8_t what)
{
    tlm_port_write(what);
    tlm_port_write('(');
    control[1] = MOST;
    control[0] = ENABLE_CORE_CLOCK;
    begun = control[2];
}

void tlm_count_end(void)
{
    const uint32_t ticks = (begun - control[2]) & MOST;
    tlm_ticks_write(ticks, HEX_DIGITS);
    tlm_port_write(')');
}

void tlm_count_known(void)
{
    uint32_t left = KNOWN_LOOPS; /* two instructions each */
    tlm_count_begin('c');
    __asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+l"(left) : : "cc");
    tlm_count_end();
}
