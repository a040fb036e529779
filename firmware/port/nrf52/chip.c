/* nRF52: runs at its one speed from reset on; its instruction cache is off then, and a boot loader may have left interrupts.
 * Registers: Nordic's nRF52840 Product Specification, NVMC; Armv7-M Architecture Reference Manual, NVIC. */
#include "tlm_chip.h"

/* The peripherals' clock. */
enum { PERIPHERAL_HZ = 16000000 };

#define CACHE_SETTINGS TLM_REGISTER(0x4001E540UL)
#define VECTORS TLM_REGISTER(0xE000ED08UL)
#define NVIC_DISABLE ((volatile uint32_t *)0xE000E180UL)
enum { CACHE_ENABLE = 1, INTERRUPTS = 48 };

extern const uint32_t tlm_vectors[];

uint32_t tlm_chip_start(void)
{
    for (uint32_t i = 0; i * 32 < INTERRUPTS; i++) {
        NVIC_DISABLE[i] = 0xFFFFFFFFUL;
    }
    VECTORS = (uint32_t)(uintptr_t)tlm_vectors;
    CACHE_SETTINGS = CACHE_ENABLE;
    return PERIPHERAL_HZ;
}
