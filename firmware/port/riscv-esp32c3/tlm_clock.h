/* Clock of an ESP32-C3 (clock.c). */
#ifndef TLM_CLOCK_H
#define TLM_CLOCK_H

/* From half the crystal, as the ROM leaves it, to 160 MHz of the PLL. The serial lines keep their rates: they have clocks of their own. */
void tlm_clock_start(void);

#endif
