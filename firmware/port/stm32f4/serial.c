/* An STM32F4's USART on the pins that the board names. Registers: ST's RM0090, sections GPIO and USART. */
#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

#define USART(offset) TLM_REGISTER(TLM_SERIAL_BASE + (offset))
#define GPIO(pin, offset) TLM_REGISTER(0x40020000UL + (pin) / 16 * 0x400UL + (offset))
#define RCC_AHB1ENR TLM_REGISTER(0x40023830UL)
/* A peripheral's enable bit is its place on its bus, 1 KB each. */
#define RCC_SERIAL_ENABLE TLM_REGISTER((TLM_SERIAL_BASE & 0x10000UL) != 0 ? 0x40023844UL : 0x40023840UL)
#define SERIAL_ENABLE_BIT (1UL << ((TLM_SERIAL_BASE & 0xFFFFUL) / 0x400UL))

#define STATUS USART(0x00)
#define DATA USART(0x04)
#define BAUD_DIVIDER USART(0x08)
#define CONTROL USART(0x0C)
enum { OVERRUN = 1 << 3, RX_FULL = 1 << 5, TX_EMPTY = 1 << 7 };
enum { RX_ENABLE = 1 << 2, TX_ENABLE = 1 << 3, RX_INTERRUPT_ENABLE = 1 << 5, ENABLE = 1 << 13 };
enum { MODE = 0x00, PULL = 0x0C, FUNCTION = 0x20, MODE_FUNCTION = 2, PULL_UP = 1 };

static void set_field(volatile uint32_t *address, uint32_t bits, uint32_t number, uint32_t value)
{
    *address = (*address & ~(((1UL << bits) - 1) << bits * number)) | value << bits * number;
}

static void connect_pin(uint32_t pin)
{
    const uint32_t number = pin % 16;
    RCC_AHB1ENR |= 1UL << pin / 16;
    (void)RCC_AHB1ENR; /* the clock comes two cycles after the bit */
    set_field(&GPIO(pin, FUNCTION + number / 8 * 4), 4, number % 8, TLM_SERIAL_FUNCTION);
    set_field(&GPIO(pin, PULL), 2, number, PULL_UP); /* an open line is silent */
    set_field(&GPIO(pin, MODE), 2, number, MODE_FUNCTION);
}

void tlm_serial_start(uint32_t clock_hz)
{
    RCC_SERIAL_ENABLE |= SERIAL_ENABLE_BIT;
    connect_pin(TLM_SERIAL_TX);
    connect_pin(TLM_SERIAL_RX);
    BAUD_DIVIDER = (clock_hz + TLM_BAUD / 2) / TLM_BAUD;
    CONTROL = ENABLE | TX_ENABLE | RX_ENABLE | RX_INTERRUPT_ENABLE;
}

/* Reading the status and then the data clears both bits. */
int tlm_serial_take(void)
{
    const uint32_t status = STATUS;
    if ((status & (RX_FULL | OVERRUN)) == 0) {
        return -1;
    }
    const int byte = (int)(DATA & 0xFF);
    return (status & RX_FULL) != 0 ? byte : -1;
}

void tlm_port_write(uint8_t byte)
{
    while ((STATUS & TX_EMPTY) == 0) {
    }
    DATA = byte;
}
