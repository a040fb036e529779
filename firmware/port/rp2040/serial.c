/* An RP2040's UART (Arm's PL011) on the pins that the board names, without its FIFO: each byte asks for an interrupt at once.
 * Registers: Raspberry Pi's RP2040 data sheet, sections 2.19 and 4.2. */
#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

#define UART(offset) TLM_REGISTER(TLM_SERIAL_BASE + (offset))
#define DATA UART(0x00)
#define FLAGS UART(0x18)
#define DIVIDER_WHOLE UART(0x24)
#define DIVIDER_FRACTION UART(0x28)
#define LINE_CONTROL UART(0x2C)
#define CONTROL UART(0x30)
#define INTERRUPT_MASK UART(0x38)
#define INTERRUPT_CLEAR UART(0x44)
enum { RX_EMPTY = 1 << 4, TX_FULL = 1 << 5, BITS_8 = 3 << 5, ENABLE = 1 << 0, TX_ENABLE = 1 << 8, RX_ENABLE = 1 << 9,
       RX_INTERRUPT = 1 << 4 };

#define PIN_FUNCTION(pin) TLM_REGISTER(0x40014004UL + (pin) * 8UL)
#define PIN_PAD(pin) TLM_REGISTER(0x4001C004UL + (pin) * 4UL)
/* The pad after reset, but pulled up: input on, 4 mA, Schmitt trigger. */
enum { FUNCTION_UART = 2, PAD_PULL_UP = 0x5A };

void tlm_serial_start(uint32_t clock_hz)
{
    const uint32_t divider = (clock_hz * 4 + TLM_BAUD / 2) / TLM_BAUD; /* clock / (16 * baud), in 64ths */
    DIVIDER_WHOLE = divider >> 6;
    DIVIDER_FRACTION = divider & 0x3F;
    LINE_CONTROL = BITS_8; /* the dividers count from this write on */
    CONTROL = ENABLE | TX_ENABLE | RX_ENABLE;
    INTERRUPT_MASK = RX_INTERRUPT;
    PIN_PAD(TLM_SERIAL_RX) = PAD_PULL_UP;
    PIN_FUNCTION(TLM_SERIAL_TX) = FUNCTION_UART;
    PIN_FUNCTION(TLM_SERIAL_RX) = FUNCTION_UART;
}

int tlm_serial_take(void)
{
    INTERRUPT_CLEAR = RX_INTERRUPT;
    return (FLAGS & RX_EMPTY) == 0 ? (int)(DATA & 0xFF) : -1;
}

void tlm_port_write(uint8_t byte)
{
    while ((FLAGS & TX_FULL) != 0) {
    }
    DATA = byte;
}
