/* What each family of chips gives to the Cortex-M port: chip.c has the first function, serial.c the others. */
#ifndef TLM_CHIP_H
#define TLM_CHIP_H

#include <stdint.h>

#define TLM_REGISTER(address) (*(volatile uint32_t *)(address))

/* Clocks, wait states and units that are off after reset. Returns the hertz that feed the serial line. */
uint32_t tlm_chip_start(void);

/* Pins, baud rate, and an interrupt request (TLM_SERIAL_INTERRUPT) while a byte is there. */
void tlm_serial_start(uint32_t clock_hz);

/* A byte that has come, or below 0 when there is none; either ends the interrupt request. */
int tlm_serial_take(void);

#endif
