/* Clock of an ESP32-C3 with a 40 MHz crystal (every module has that). Order and values are those of the vendor's own start-up
 * code (esp-idf: rtc_init.c, rtc_clk.c, clk_tree_ll.h); no emulator has a PLL, so only a board can prove them.
 * All of it runs from RAM: flash is read at another speed in the middle of it. */
#include "tlm_clock.h"

#include <stdint.h>

#define FROM_RAM(name) __attribute__((section(".hot." name), noinline))
#define REGISTER(address) (*(volatile uint32_t *)(address))

#define POWER REGISTER(0x60008000UL)          /* bits 6, 8, 10: I2C of the analog parts, of the PLL, and the PLL are off */
#define CPU_CLOCK REGISTER(0x600C0008UL)      /* bits 1:0: 1 is 160 MHz; bit 2: the PLL has 480 MHz */
#define SYSTEM_CLOCK REGISTER(0x600C0058UL)   /* bits 9:0: divider of the crystal less 1; bits 11:10: 1 is the PLL */
#define ANALOG_CONTROL REGISTER(0x6000E040UL) /* bits 2, 3: the PLL's calibration is stopped, is let run */
#define ANALOG_POWER REGISTER(0x6000E044UL)   /* bit 17: the PLL hears nothing */
#define FLASH_CLOCK REGISTER(0x60003014UL)    /* of SPI0, which the cache reads through */

enum { CRYSTAL_MHZ = 40, PLL = 0x66, SUPPLY = 0x6D, ANALOG_HOST = 0, SOURCE_MASK = 3 << 10, SOURCE_PLL = 1 << 10 };

/* 80 MHz / 2, with half of it high: good for every command that reads flash. */
enum { FLASH_HALF = 1 << 16 | 0 << 8 | 1 };

/* Functions of the ROM: block, host, register, (highest bit, lowest bit,) value. */
typedef void (*analog_write_t)(uint8_t, uint8_t, uint8_t, uint8_t);
typedef void (*analog_write_bits_t)(uint8_t, uint8_t, uint8_t, uint8_t, uint8_t, uint8_t);

FROM_RAM("analog_write") static void analog_write(uint8_t block, uint8_t number, uint8_t value)
{
    ((analog_write_t)0x4000195CUL)(block, ANALOG_HOST, number, value);
}

FROM_RAM("analog_write_bits")
static void analog_write_bits(uint8_t block, uint8_t number, uint8_t highest, uint8_t lowest, uint8_t value)
{
    ((analog_write_bits_t)0x40001960UL)(block, ANALOG_HOST, number, highest, lowest, value);
}

/* At least so long: a turn takes two cycles or more of at most the crystal's. */
FROM_RAM("wait") static void wait_us(uint32_t microseconds)
{
    for (uint32_t left = microseconds * CRYSTAL_MHZ / 2; left > 0; left--) {
        __asm__ volatile("" ::: "memory");
    }
}

/* Core voltage for 160 MHz: what the vendor takes where a chip tells none of its own. */
FROM_RAM("supply") static void raise_supply(void)
{
    analog_write_bits(SUPPLY, 13, 3, 3, 0);
    analog_write_bits(SUPPLY, 13, 2, 2, 0);
    analog_write_bits(SUPPLY, 4, 4, 0, 28);
    analog_write_bits(SUPPLY, 6, 4, 0, 28);
    wait_us(100);
}

/* 40 MHz * (8 + 4) = 480 MHz. */
FROM_RAM("pll") static void start_pll(void)
{
    POWER &= ~(1UL << 6 | 1UL << 8 | 1UL << 10);
    CPU_CLOCK |= 1UL << 2;
    ANALOG_POWER &= ~(1UL << 17);
    ANALOG_CONTROL &= ~(1UL << 2);
    ANALOG_CONTROL |= 1UL << 3;
    analog_write(PLL, 4, 0x6B);
    analog_write(PLL, 2, 0x50);
    analog_write(PLL, 3, 8);
    analog_write_bits(PLL, 5, 2, 0, 0);
    analog_write_bits(PLL, 5, 6, 4, 0);
    analog_write(PLL, 6, 0x93);
    analog_write_bits(PLL, 9, 1, 0, 2);
    analog_write_bits(PLL, 6, 5, 4, 2);
    analog_write_bits(PLL, 6, 7, 6, 1);
    wait_us(200);
}

FROM_RAM("clock") void tlm_clock_start(void)
{
    raise_supply();
    if ((SYSTEM_CLOCK & SOURCE_MASK) != SOURCE_PLL) {
        start_pll();
    }
    FLASH_CLOCK = FLASH_HALF;
    CPU_CLOCK = (CPU_CLOCK & ~3UL) | 1UL;
    SYSTEM_CLOCK = (SYSTEM_CLOCK & ~(uint32_t)(SOURCE_MASK | 0x3FF)) | SOURCE_PLL;
}
