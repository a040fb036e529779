/* Port: ESP8266 with a 26 MHz crystal. The boot ROM has loaded the firmware into RAM and left UART0 at 74880 baud, as it takes the
 * crystal for one of 40 MHz, the watchdog perhaps on and the flash unmapped. Its functions have our ABI. Addresses: the vendor's
 * headers, and what esp8266/Arduino (mmu_iram.cpp) says of Cache_Read_Enable. */
#include "board.h"
#include "tlm_port.h"

extern const uint8_t tlm_language[];

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_FIFO REGISTER(TLM_SERIAL_BASE)
#define UART_DIVIDER REGISTER(TLM_SERIAL_BASE + 0x14UL)
#define UART_STATUS REGISTER(TLM_SERIAL_BASE + 0x1CUL)
#define WATCHDOG REGISTER(0x60000900UL) /* bit 0: on */

/* UART_STATUS: bytes in each FIFO (of 128). */
enum { RX_COUNT = 0xFF, TX_SHIFT = 16, TX_COUNT = 0xFF, TX_LIMIT = 120 };
enum { BUS_MHZ = 80, PLL_BLOCK = 103, PLL_HOST = 4 };

/* Functions of the ROM. */
typedef void (*write_analog_t)(uint32_t block, uint32_t host, uint32_t number, uint32_t value); /* rom_i2c_writeReg */
typedef void (*map_flash_t)(uint32_t odd, uint32_t pair, uint32_t large);                       /* Cache_Read_Enable */

/* Less on the slower clock before. */
static void wait_us(uint32_t microseconds)
{
    uint32_t start, now;
    __asm__ volatile("rsr.ccount %0" : "=r"(start));
    do {
        __asm__ volatile("rsr.ccount %0" : "=r"(now));
    } while (now - start < microseconds * BUS_MHZ);
}

/* The ROM's last words must be out first: a byte at its rate takes 134 us. */
static void start_clock(void)
{
    const write_analog_t write_analog = (write_analog_t)0x400072D8UL;
    while (((UART_STATUS >> TX_SHIFT) & TX_COUNT) != 0) {
    }
    wait_us(200);
    write_analog(PLL_BLOCK, PLL_HOST, 1, 0x88);
    write_analog(PLL_BLOCK, PLL_HOST, 2, 0x91);
    wait_us(150);
    UART_DIVIDER = (BUS_MHZ * 1000000UL + TLM_BAUD / 2) / TLM_BAUD;
}

void tlm_port_init(void)
{
    WATCHDOG &= ~1UL;
    start_clock();
    ((map_flash_t)0x40004678UL)(0, 0, 1); /* the first MB, through 32 KB of cache */
}

int tlm_port_read(void)
{
    while ((UART_STATUS & RX_COUNT) == 0) {
    }
    return (int)(UART_FIFO & 0xFF);
}

void tlm_port_write(uint8_t byte)
{
    while (((UART_STATUS >> TX_SHIFT) & TX_COUNT) >= TX_LIMIT) {
    }
    UART_FIFO = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
