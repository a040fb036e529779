/* Marks for an AVR in tinylm/emulators/simavr_machine.c: it sees a register written that every AVR has and none of our code
 * uses, and tells the cycles between over the serial line. */
#include <avr/io.h>

#include "tlm_count.h"

void tlm_count_begin(uint8_t what)
{
    GPIOR0 = what;
}

void tlm_count_end(void)
{
    GPIOR0 = 0;
}

void tlm_count_known(void)
{
}
