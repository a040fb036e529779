/* The UART of an nRF51 or nRF52 (there the one without DMA) on the pins that the board names. Registers: Nordic's nRF51
 * Series Reference Manual and nRF52840 Product Specification, sections CLOCK, GPIO, UART. */
#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

#define UART(offset) TLM_REGISTER(TLM_SERIAL_BASE + (offset))
#define START_RX UART(0x000)
#define START_TX UART(0x008)
#define RX_READY UART(0x108)
#define TX_READY UART(0x11C)
#define INTERRUPT_ENABLE UART(0x304)
#define ENABLE UART(0x500)
#define TX_PIN UART(0x50C)
#define RX_PIN UART(0x514)
#define RX_DATA UART(0x518)
#define TX_DATA UART(0x51C)
#define BAUD_RATE UART(0x524)
enum { ENABLE_UART = 4, RX_READY_BIT = 1 << 2 };

/* Pins 32 and up are those of the second port. */
#define GPIO(pin, offset) TLM_REGISTER(0x50000000UL + (pin) / 32 * 0x300UL + (offset))
#define SET_OUTPUT(pin) GPIO(pin, 0x508)
#define PIN_SETTINGS(pin) GPIO(pin, 0x700 + (pin) % 32 * 4UL)
enum { OUTPUT = 3, INPUT_PULL_UP = 0xC };

#define START_CRYSTAL TLM_REGISTER(0x40000000UL)
#define CRYSTAL_STARTED TLM_REGISTER(0x40000100UL)
/* Looks at the event: 10 ms and more; a crystal takes 1. Without it the internal oscillator's error is 1 % and more. */
enum { PATIENCE = 20000 };

static void start_crystal(void)
{
    CRYSTAL_STARTED = 0;
    START_CRYSTAL = 1;
    for (uint32_t i = 0; CRYSTAL_STARTED == 0 && i < PATIENCE; i++) {
    }
}

/* The rate is in units of clock / 2^32, of which the chip takes the upper 20 bits: 0x01D7E000 for 115200 at 16 MHz. */
void tlm_serial_start(uint32_t clock_hz)
{
    const uint32_t rate = (uint32_t)(((uint64_t)TLM_BAUD << 32) / clock_hz);
    start_crystal();
    SET_OUTPUT(TLM_SERIAL_TX) = 1UL << TLM_SERIAL_TX % 32;
    PIN_SETTINGS(TLM_SERIAL_TX) = OUTPUT;
    PIN_SETTINGS(TLM_SERIAL_RX) = INPUT_PULL_UP;
    ENABLE = 0; /* a boot loader may have used the UART with DMA */
    TX_PIN = TLM_SERIAL_TX;
    RX_PIN = TLM_SERIAL_RX;
    BAUD_RATE = (rate + 0x800) & 0xFFFFF000UL;
    ENABLE = ENABLE_UART;
    RX_READY = 0;
    INTERRUPT_ENABLE = RX_READY_BIT;
    START_TX = 1;
    START_RX = 1;
}

/* Six bytes wait in the chip: each that is read brings the event for the next. */
int tlm_serial_take(void)
{
    if (RX_READY == 0) {
        return -1;
    }
    RX_READY = 0;
    return (int)(RX_DATA & 0xFF);
}

void tlm_port_write(uint8_t byte)
{
    TX_READY = 0;
    TX_DATA = byte;
    while (TX_READY == 0) {
    }
}
