/* Arm's CMSDK UART (MPS2 boards): one byte of buffer each way. The core sleeps while it waits for a byte. */
#include "board.h"
#include "tlm_port.h"

#define UART ((volatile uint32_t *)TLM_SERIAL_BASE)
#define NVIC_ENABLE ((volatile uint32_t *)0xE000E100UL)
#define NVIC_CLEAR_PENDING ((volatile uint32_t *)0xE000E280UL)

/* Words from the start of the UART. */
enum { DATA = 0, STATE = 1, CONTROL = 2, INTERRUPT_CLEAR = 3, BAUD_DIVIDER = 4 };
enum { TX_FULL = 1, RX_FULL = 2, RX_INTERRUPT = 2, TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT_ENABLE = 8 };

/* The receive interrupt is enabled but masked by PRIMASK, so that it ends a WFI and no handler is needed. */
void tlm_port_init(void)
{
    __asm__ volatile("cpsid i");
    UART[BAUD_DIVIDER] = (TLM_CLOCK_HZ + TLM_BAUD / 2) / TLM_BAUD;
    UART[CONTROL] = TX_ENABLE | RX_ENABLE | RX_INTERRUPT_ENABLE;
    NVIC_ENABLE[TLM_SERIAL_INTERRUPT / 32] = 1UL << (TLM_SERIAL_INTERRUPT % 32);
}

int tlm_port_read(void)
{
    while ((UART[STATE] & RX_FULL) == 0) {
        __asm__ volatile("wfi");
    }
    UART[INTERRUPT_CLEAR] = RX_INTERRUPT;
    NVIC_CLEAR_PENDING[TLM_SERIAL_INTERRUPT / 32] = 1UL << (TLM_SERIAL_INTERRUPT % 32);
    return (int)(UART[DATA] & 0xFF);
}

void tlm_port_write(uint8_t byte)
{
    while ((UART[STATE] & TX_FULL) != 0) {
    }
    UART[DATA] = byte;
}
