/* Marks for an AVR, emulated or real: timer 1 counts cycles, timer 3 every 1024th, so that 2^26 cycles (4 s) are told. */
#include <avr/interrupt.h>
#include <avr/io.h>

#include "tlm_count.h"
#include "tlm_port.h"

enum { EVERY = 0x01, EVERY_1024 = 0x05, COARSE_CYCLES = 1024, HEX_DIGITS = 8 };

static uint16_t fine_start, coarse_start;

void tlm_count_begin(uint8_t what)
{
    tlm_port_write(what);
    tlm_port_write('(');
    TCCR1A = 0;
    TCCR3A = 0;
    TCCR1B = EVERY;
    TCCR3B = EVERY_1024;
    cli();
    coarse_start = TCNT3;
    fine_start = TCNT1;
}

/* The coarse count is right within 2 of its units: the exact one is the nearest number with the fine count's low 16 bits. */
void tlm_count_end(void)
{
    uint16_t fine = (uint16_t)(TCNT1 - fine_start);
    uint32_t near = (uint32_t)(uint16_t)(TCNT3 - coarse_start) * COARSE_CYCLES;
    sei();
    uint32_t cycles = near + (uint32_t)(int32_t)(int16_t)(uint16_t)(fine - (uint16_t)near);
    for (uint8_t i = 0; i < HEX_DIGITS; i++) {
        uint8_t digit = (uint8_t)(cycles >> 28);
        tlm_port_write((uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10));
        cycles <<= 4;
    }
    tlm_port_write(')');
}
