/* RP2040: from its crystal of 12 MHz to the PLL's 125 MHz. Registers: Raspberry Pi's RP2040 data sheet, sections 2.14 to 2.19. */
#include "board.h"
#include "tlm_chip.h"

#define RESETS TLM_REGISTER(0x4000C000UL)
#define RESETS_DONE TLM_REGISTER(0x4000C008UL)
enum { IO = 1 << 5, PADS = 1 << 8, PLL = 1 << 12, UART0 = 1 << 22 };

#define CRYSTAL_CONTROL TLM_REGISTER(0x40024000UL)
#define CRYSTAL_STATUS TLM_REGISTER(0x40024004UL)
#define CRYSTAL_DELAY TLM_REGISTER(0x4002400CUL)
#define CRYSTAL_STABLE (1UL << 31)
/* Range 1 to 15 MHz; on. The delay is in units of 256 periods: 1 ms. */
enum { CRYSTAL_SETTINGS = 0xFABAA0, CRYSTAL_PERIODS = (TLM_CRYSTAL_HZ / 1000 + 255) / 256 };

#define REFERENCE_CONTROL TLM_REGISTER(0x40008030UL)
#define REFERENCE_SELECTED TLM_REGISTER(0x40008038UL)
#define SYSTEM_CONTROL TLM_REGISTER(0x4000803CUL)
#define SYSTEM_SELECTED TLM_REGISTER(0x40008044UL)
#define PERIPHERAL_CONTROL TLM_REGISTER(0x40008048UL)
enum { FROM_CRYSTAL = 2, FROM_REFERENCE = 0, FROM_PLL = 1, CLOCK_ENABLE = 1 << 11 };

#define PLL_CONTROL TLM_REGISTER(0x40028000UL)
#define PLL_POWER TLM_REGISTER(0x40028004UL)
#define PLL_FEEDBACK TLM_REGISTER(0x40028008UL)
#define PLL_DIVIDERS TLM_REGISTER(0x4002800CUL)
#define PLL_LOCKED (1UL << 31)
enum { POWER_DOWN = 1 << 0, DIVIDERS_DOWN = 1 << 3, OSCILLATOR_DOWN = 1 << 5 };
/* The PLL's oscillator runs at 1500 MHz (750 to 1600 are allowed); / 6 / 2. */
enum { PLL_DIVIDER_1 = 6, PLL_DIVIDER_2 = 2, DIVIDER_1_AT = 16, DIVIDER_2_AT = 12 };
enum { PLL_MULTIPLIER = TLM_CLOCK_HZ * PLL_DIVIDER_1 * PLL_DIVIDER_2 / TLM_CRYSTAL_HZ };

static void release(uint32_t blocks)
{
    RESETS &= ~blocks;
    while ((RESETS_DONE & blocks) != blocks) {
    }
}

static void start_pll(void)
{
    RESETS |= PLL;
    release(PLL);
    PLL_CONTROL = 1; /* the crystal undivided */
    PLL_FEEDBACK = PLL_MULTIPLIER;
    PLL_POWER &= ~(uint32_t)(POWER_DOWN | OSCILLATOR_DOWN);
    while ((PLL_CONTROL & PLL_LOCKED) == 0) {
    }
    PLL_DIVIDERS = PLL_DIVIDER_1 << DIVIDER_1_AT | PLL_DIVIDER_2 << DIVIDER_2_AT;
    PLL_POWER &= ~(uint32_t)DIVIDERS_DOWN;
}

/* The system runs from the reference while the PLL is set: a boot loader may have left it on the PLL. */
uint32_t tlm_chip_start(void)
{
    CRYSTAL_DELAY = CRYSTAL_PERIODS;
    CRYSTAL_CONTROL = CRYSTAL_SETTINGS;
    while ((CRYSTAL_STATUS & CRYSTAL_STABLE) == 0) {
    }
    SYSTEM_CONTROL = FROM_REFERENCE;
    while ((SYSTEM_SELECTED & 1UL << FROM_REFERENCE) == 0) {
    }
    REFERENCE_CONTROL = FROM_CRYSTAL;
    while ((REFERENCE_SELECTED & 1UL << FROM_CRYSTAL) == 0) {
    }
    start_pll();
    SYSTEM_CONTROL = FROM_PLL; /* the auxiliary source is the PLL when its field is 0 */
    while ((SYSTEM_SELECTED & 1UL << FROM_PLL) == 0) {
    }
    PERIPHERAL_CONTROL = CLOCK_ENABLE; /* from the system clock */
    release(IO | PADS | UART0);
    return TLM_CLOCK_HZ;
}
