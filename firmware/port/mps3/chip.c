/* Arm's MPS3 board with the AN547 image (Corstone-300): clocks run; the vector unit must be let in. */
#include "tlm_chip.h"

/* Arm AN547: the peripherals' clock. */
enum { PERIPHERAL_HZ = 25000000 };

/* CPACR, Armv8-M manual: full access to coprocessors 10 and 11, which are the vector registers. */
#define CPACR TLM_REGISTER(0xE000ED88UL)
enum { VECTOR_UNIT = 0xF << 20 };

uint32_t tlm_chip_start(void)
{
    CPACR |= VECTOR_UNIT;
    __asm__ volatile("dsb\n\tisb");
    return PERIPHERAL_HZ;
}
