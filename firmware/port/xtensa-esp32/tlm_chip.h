/* What an ESP32 must be brought to before its firmware runs at speed and sees its flash. Needs no vendor code. */
#ifndef TLM_CHIP_H
#define TLM_CHIP_H

#include <stdint.h>

#define TLM_REGISTER(address) (*(volatile uint32_t *)(address))

/* Of the bus that peripherals take their clock from, once the clock was started. */
#define TLM_BUS_HZ 80000000UL

/* The CPU from a 40 MHz crystal to 160 MHz, by the 320 MHz PLL. Faster needs a higher core voltage. */
void tlm_chip_start_clock(void);

/* The first 4 MB of flash as data at 0x3F400000. */
void tlm_chip_map_flash(void);

/* Calls a function of the ROM, which uses register windows. */
uint32_t tlm_rom_call(uint32_t function, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

#endif
