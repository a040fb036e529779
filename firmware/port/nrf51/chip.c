/* nRF51: runs at its one speed from reset on, without wait states. */
#include "board.h"
#include "tlm_chip.h"

uint32_t tlm_chip_start(void)
{
    return TLM_CLOCK_HZ;
}
