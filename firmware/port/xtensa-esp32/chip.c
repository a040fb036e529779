/* Clock and flash of an ESP32. The order and the values of the PLL are those of the vendor's own start-up code for a 40 MHz
 * crystal; no emulator has a PLL, so only a board can prove them. */
#include "tlm_chip.h"

enum { CRYSTAL_MHZ = 40 };

static void wait_us(uint32_t microseconds)
{
    uint32_t start, now;
    __asm__ volatile("rsr.ccount %0" : "=r"(start));
    do {
        __asm__ volatile("rsr.ccount %0" : "=r"(now));
    } while (now - start < microseconds * CRYSTAL_MHZ);
}

/* The analog parts hang on a bus of their own, for which the ROM has a function: block, host, register, value. */
static void write_pll(uint8_t number, uint8_t value)
{
    const uint32_t rom_i2c_write = 0x400041A4UL, block = 0x66, host = 4;
    (void)tlm_rom_call(rom_i2c_write, block, host, number, value);
}

void tlm_chip_start_clock(void)
{
    /* Power: the bias and I2C of the analog parts, the PLL and its I2C. */
    TLM_REGISTER(0x3FF48000UL) &= ~(1UL << 18 | 1UL << 6 | 1UL << 8 | 1UL << 10);
    write_pll(0, 0x18);
    write_pll(1, 0x20);
    write_pll(4, 0x9A);
    write_pll(10, 0x00);
    write_pll(12, 0x00);
    /* Core voltage 1.10 V, as ROM leaves it and 160 MHz want it. */
    TLM_REGISTER(0x3FF4807CUL) = (TLM_REGISTER(0x3FF4807CUL) & ~(7UL << 11)) | 4UL << 11;
    wait_us(10);
    /* 40 MHz * (32 + 4) / (4 + ...): 320 MHz. */
    write_pll(11, 0x43);
    write_pll(9, 0x84);
    write_pll(2, 0x00);
    write_pll(3, 0x20);
    write_pll(5, 0xC6);
    wait_us(200);
    TLM_REGISTER(0x3FF0003CUL) = 1;  /* CPU: half the PLL */
    TLM_REGISTER(0x3FF66008UL) = 79; /* 80 ticks of the bus are a microsecond */
    TLM_REGISTER(0x3FF48070UL) = (TLM_REGISTER(0x3FF48070UL) & ~(3UL << 27)) | 1UL << 27; /* from the PLL from here on */
}

enum { PAGES = 64 }; /* of 64 KB */
#define CACHE_CONTROL TLM_REGISTER(0x3FF00040UL)
#define CACHE_MASK TLM_REGISTER(0x3FF00044UL)
#define CACHE_STATE TLM_REGISTER(0x3FF003F0UL)
#define CACHE_PAGE(number) TLM_REGISTER(0x3FF10000UL + 4UL * (number))
enum { ENABLE = 1 << 3, FLUSH = 1 << 4, FLUSHED = 1 << 5, MASK_DATA = 1 << 4, STATE_SHIFT = 7, STATE_MASK = 0xFFF, IDLE = 1 };

void tlm_chip_map_flash(void)
{
    CACHE_CONTROL &= ~(uint32_t)ENABLE;
    while (((CACHE_STATE >> STATE_SHIFT) & STATE_MASK) != IDLE) {
    }
    for (uint32_t page = 0; page < PAGES; page++) {
        CACHE_PAGE(page) = page;
    }
    CACHE_CONTROL &= ~(uint32_t)FLUSH;
    CACHE_CONTROL |= FLUSH;
    while ((CACHE_CONTROL & FLUSHED) == 0) {
    }
    CACHE_CONTROL &= ~(uint32_t)FLUSH;
    CACHE_MASK &= ~(uint32_t)MASK_DATA;
    CACHE_CONTROL |= ENABLE;
}
