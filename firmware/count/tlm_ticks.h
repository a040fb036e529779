/* How marks tell a count of ticks: hexadecimal digits through the port. Knows no timer. */
#ifndef TLM_TICKS_H
#define TLM_TICKS_H

#include "tlm_port.h"

/* The lowest `digits` (1..8) hexadecimal digits of `ticks`, the highest first. */
static inline void tlm_ticks_write(uint32_t ticks, uint8_t digits)
{
    while (digits-- > 0) {
        const uint8_t digit = (uint8_t)(ticks >> 4U * digits & 15U);
        tlm_port_write((uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10));
    }
}

#endif
