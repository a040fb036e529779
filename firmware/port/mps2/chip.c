/* Arm's MPS2 boards: the FPGA brings its clock, which feeds the peripherals too. */
#include "board.h"
#include "tlm_chip.h"

uint32_t tlm_chip_start(void)
{
    return TLM_CLOCK_HZ;
}
