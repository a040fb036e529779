/* What a counting build (tinylm/counting.py) is made of: intervals, told over the serial line as "x(" ... ")". */
#ifndef TLM_COUNT_H
#define TLM_COUNT_H

#include <stdint.h>

/* The bounds of an interval. On most chips the emulator counts instructions between the two bytes that these write; on an
 * AVR a timer counts cycles and the second writes them as 8 hexadecimal digits. What they cost themselves is measured. */
void tlm_count_begin(uint8_t what);
void tlm_count_end(void);

#endif
