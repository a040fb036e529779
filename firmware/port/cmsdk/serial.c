/* Arm's CMSDK UART (MPS2 and MPS3 boards): one byte of buffer each way. Registers: Arm's Cortex-M System Design Kit manual. */
#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

#define UART ((volatile uint32_t *)TLM_SERIAL_BASE)

/* Words from the start of the UART. */
enum { DATA = 0, STATE = 1, CONTROL = 2, INTERRUPT_CLEAR = 3, BAUD_DIVIDER = 4 };
enum { TX_FULL = 1, RX_FULL = 2, RX_INTERRUPT = 2, TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT_ENABLE = 8 };

void tlm_serial_start(uint32_t clock_hz)
{
    UART[BAUD_DIVIDER] = (clock_hz + TLM_BAUD / 2) / TLM_BAUD;
    UART[CONTROL] = TX_ENABLE | RX_ENABLE | RX_INTERRUPT_ENABLE;
}

int tlm_serial_take(void)
{
    UART[INTERRUPT_CLEAR] = RX_INTERRUPT;
    return (UART[STATE] & RX_FULL) != 0 ? (int)(UART[DATA] & 0xFF) : -1;
}

void tlm_port_write(uint8_t byte)
{
    while ((UART[STATE] & TX_FULL) != 0) {
    }
    UART[DATA] = byte;
}
