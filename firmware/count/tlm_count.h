/* What a counting build (tinylm/counting.py) is made of: intervals, told over the serial line as "x(" ... ")". */
#ifndef TLM_COUNT_H
#define TLM_COUNT_H

#include <stdint.h>

/* The bounds of an interval. An emulator counts between the two (line, simavr), or a timer of the chip does and the second
 * writes its ticks in hexadecimal. What they cost themselves is measured. */
void tlm_count_begin(uint8_t what);
void tlm_count_end(void);

/* Where a timer counts: an interval 'c' of 2^17 instructions, that says how many ticks one takes. Elsewhere nothing. */
void tlm_count_known(void);

#endif
