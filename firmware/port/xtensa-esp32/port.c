/* Port: ESP32. The boot ROM has loaded the firmware into RAM and left UART0 at 115200 baud from the crystal, the watchdogs on
 * and the flash unmapped. Addresses: the chip's reference manual. */
#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

extern const uint8_t tlm_language[];

/* The FIFO is read by one bus and written by another: a read by the second can lose a byte. */
#define UART_READ TLM_REGISTER(TLM_SERIAL_BASE)
#define UART_WRITE TLM_REGISTER(0x60000000UL)
#define UART_DIVIDER TLM_REGISTER(TLM_SERIAL_BASE + 0x14UL)
#define UART_STATUS TLM_REGISTER(TLM_SERIAL_BASE + 0x1CUL)

/* UART_STATUS: bytes in each FIFO (of 128), and what the sender does: 0 is nothing. */
enum { RX_COUNT = 0xFF, TX_SHIFT = 16, TX_COUNT = 0xFF, TX_LIMIT = 120 };
#define TX_BUSY 0x0FFF0000UL

static void stop_watchdogs(void)
{
    const uint32_t key = 0x50D83AA1UL;
    TLM_REGISTER(0x3FF480A4UL) = key; /* RTC */
    TLM_REGISTER(0x3FF4808CUL) = 0;
    TLM_REGISTER(0x3FF5F064UL) = key; /* timer group 0 */
    TLM_REGISTER(0x3FF5F048UL) = 0;
    TLM_REGISTER(0x3FF60064UL) = key; /* timer group 1 */
    TLM_REGISTER(0x3FF60048UL) = 0;
}

/* The divider counts sixteenths; its fraction lies in bits 20 to 23. The ROM's last words must be out first. */
static void set_baud(void)
{
    const uint32_t sixteenths = (16UL * TLM_BUS_HZ + TLM_BAUD / 2) / TLM_BAUD;
    UART_DIVIDER = (sixteenths >> 4) | (sixteenths & 15UL) << 20;
}

void tlm_port_init(void)
{
    stop_watchdogs();
    while ((UART_STATUS & TX_BUSY) != 0) {
    }
    tlm_chip_start_clock();
    set_baud();
    tlm_chip_map_flash();
}

int tlm_port_read(void)
{
    while ((UART_STATUS & RX_COUNT) == 0) {
    }
    return (int)(UART_READ & 0xFF);
}

void tlm_port_write(uint8_t byte)
{
    while (((UART_STATUS >> TX_SHIFT) & TX_COUNT) >= TX_LIMIT) {
    }
    UART_WRITE = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
