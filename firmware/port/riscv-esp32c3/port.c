/* Port: ESP32-C3 by direct boot. It listens on UART0 and on the chip's USB port, and answers where it was last spoken
 * to. The ROM has set both up: UART0 runs at 115200 baud from the crystal. Addresses: the chip's reference manual. */
#include "board.h"
#include "tlm_clock.h"
#include "tlm_port.h"

#include <stdbool.h>

extern const uint8_t tlm_language[];

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_FIFO REGISTER(TLM_SERIAL_BASE)
#define UART_STATUS REGISTER(TLM_SERIAL_BASE + 0x1CUL)
#define USB_FIFO REGISTER(0x60043000UL)
#define USB_STATUS REGISTER(0x60043004UL)

/* Both counters of UART_STATUS have 10 bits; the FIFO holds 128 bytes. */
enum { COUNT_MASK = 0x3FF, TX_SHIFT = 16, TX_LIMIT = 120 };
enum { USB_SEND = 1, USB_ROOM = 2, USB_BYTE_THERE = 4 };
/* A USB host that does not listen must not stop the board: about 50 ms of polling, then the byte is lost. */
enum { USB_PATIENCE = 200000 };

static bool by_usb;
static bool usb_unsent;

/* The watchdogs that the ROM leaves running: RTC, super, and those of both timer groups. */
static void stop_watchdogs(void)
{
    const uint32_t key = 0x50D83AA1UL;
    REGISTER(0x600080A8UL) = key;
    REGISTER(0x60008090UL) = 0;
    REGISTER(0x600080B0UL) = 0x8F1D312AUL;
    REGISTER(0x600080ACUL) |= 1UL << 31;
    REGISTER(0x6001F064UL) = key;
    REGISTER(0x6001F048UL) = 0;
    REGISTER(0x60020064UL) = key;
    REGISTER(0x60020048UL) = 0;
}

void tlm_port_init(void)
{
    stop_watchdogs();
    tlm_clock_start();
}

int tlm_port_read(void)
{
    if (usb_unsent) {
        USB_STATUS = USB_SEND;
        usb_unsent = false;
    }
    for (;;) {
        if ((UART_STATUS & COUNT_MASK) != 0) {
            by_usb = false;
            return (int)(UART_FIFO & 0xFF);
        }
        if ((USB_STATUS & USB_BYTE_THERE) != 0) {
            by_usb = true;
            return (int)(USB_FIFO & 0xFF);
        }
    }
}

static void write_usb(uint8_t byte)
{
    for (uint32_t i = 0; i < USB_PATIENCE; i++) {
        if ((USB_STATUS & USB_ROOM) != 0) {
            USB_FIFO = byte;
            usb_unsent = true;
            return;
        }
    }
}

void tlm_port_write(uint8_t byte)
{
    if (by_usb) {
        write_usb(byte);
        return;
    }
    while (((UART_STATUS >> TX_SHIFT) & COUNT_MASK) >= TX_LIMIT) {
    }
    UART_FIFO = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
