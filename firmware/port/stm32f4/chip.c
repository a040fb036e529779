/* STM32F4 at full speed from its crystal, or from its own oscillator where the crystal is absent or dead. Registers and limits:
 * ST's reference manuals RM0090 (F405) and RM0368 (F401), sections RCC, FLASH; data sheets for the highest clocks. */
#include <stdbool.h>

#include "board.h"
#include "tlm_chip.h"

#define RCC_CR TLM_REGISTER(0x40023800UL)
#define RCC_PLLCFGR TLM_REGISTER(0x40023804UL)
#define RCC_CFGR TLM_REGISTER(0x40023808UL)
#define FLASH_ACR TLM_REGISTER(0x40023C00UL)

enum { INTERNAL_ON = 1 << 0, INTERNAL_READY = 1 << 1, CRYSTAL_ON = 1 << 16, CRYSTAL_READY = 1 << 17, PLL_ON = 1 << 24,
       PLL_READY = 1 << 25 };                                                 /* RCC_CR */
enum { SWITCH = 3 << 0, SWITCH_TO_PLL = 2 << 0, SWITCHED = 3 << 2, SWITCHED_TO_PLL = 2 << 2, APB1_AT = 10, APB2_AT = 13,
       DIVIDE_BY_2 = 4, DIVIDE_BY_4 = 5 };                                    /* RCC_CFGR */
enum { N_AT = 6, P_AT = 16, PLL_FROM_CRYSTAL = 1 << 22, Q_AT = 24 };          /* RCC_PLLCFGR */
enum { PREFETCH = 1 << 8, INSTRUCTION_CACHE = 1 << 9, DATA_CACHE = 1 << 10 }; /* FLASH_ACR */

/* The PLL's oscillator runs at 336 MHz (100 to 432 are allowed), fed with 1 MHz; / 7 is the 48 MHz of USB. */
enum { INTERNAL_HZ = 16000000, PLL_INPUT_HZ = 1000000, PLL_N = 336, PLL_Q = 7 };
enum { PLL_P = PLL_N * PLL_INPUT_HZ / TLM_CLOCK_HZ };
/* One wait state for each 30 MHz begun, at 2.7 to 3.6 V. */
enum { WAIT_STATES = (TLM_CLOCK_HZ - 1) / 30000000 };
/* The slow bus may run at 42 MHz, the fast one at 84. */
enum { APB1_DIVIDER = TLM_CLOCK_HZ > 84000000UL ? 4 : 2, APB2_DIVIDER = APB1_DIVIDER / 2 };
enum { SERIAL_DIVIDER = (TLM_SERIAL_BASE & 0x10000UL) != 0 ? APB2_DIVIDER : APB1_DIVIDER };
/* Looks at a register before it counts as dead: 10 ms and more; a crystal takes 2, the PLL 0.3. */
enum { PATIENCE = 20000 };

static bool comes(volatile const uint32_t *address, uint32_t mask, uint32_t wanted)
{
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*address & mask) == wanted) {
            return true;
        }
    }
    return false;
}

/* A boot loader may have left the PLL on, which can be set only while it is off. */
static void run_from_internal(void)
{
    RCC_CR |= INTERNAL_ON;
    (void)comes(&RCC_CR, INTERNAL_READY, INTERNAL_READY);
    RCC_CFGR &= ~(uint32_t)SWITCH;
    (void)comes(&RCC_CFGR, SWITCHED, 0);
    RCC_CR &= ~(uint32_t)PLL_ON;
    (void)comes(&RCC_CR, PLL_READY, 0);
}

static bool start_crystal(void)
{
    RCC_CR |= CRYSTAL_ON;
    return comes(&RCC_CR, CRYSTAL_READY, CRYSTAL_READY);
}

uint32_t tlm_chip_start(void)
{
    uint32_t settings = PLL_N << N_AT | (PLL_P / 2 - 1) << P_AT | PLL_Q << Q_AT;
    run_from_internal();
    if (TLM_CRYSTAL_HZ != 0 && start_crystal()) {
        settings |= PLL_FROM_CRYSTAL | TLM_CRYSTAL_HZ / PLL_INPUT_HZ;
    } else {
        settings |= INTERNAL_HZ / PLL_INPUT_HZ;
    }
    RCC_PLLCFGR = settings;
    RCC_CR |= PLL_ON;
    if (!comes(&RCC_CR, PLL_READY, PLL_READY)) {
        return INTERNAL_HZ;
    }
    FLASH_ACR = WAIT_STATES | PREFETCH | INSTRUCTION_CACHE | DATA_CACHE;
    RCC_CFGR = (APB1_DIVIDER == 4 ? DIVIDE_BY_4 : DIVIDE_BY_2) << APB1_AT | (APB2_DIVIDER == 2 ? DIVIDE_BY_2 : 0) << APB2_AT;
    RCC_CFGR |= SWITCH_TO_PLL;
    (void)comes(&RCC_CFGR, SWITCHED, SWITCHED_TO_PLL);
    return TLM_CLOCK_HZ / SERIAL_DIVIDER;
}
