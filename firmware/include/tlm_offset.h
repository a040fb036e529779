/* How a place in the language bytes is counted. */
#ifndef TLM_OFFSET_H
#define TLM_OFFSET_H

#include <stdint.h>

#include "tlm_port.h"

/* Bytes from the start of the language. A port whose flash is not memory defines TLM_FLASH_BY_NUMBER: tlm_flash_t is a number
 * of 16 or 24 bits there, and so is this. */
#ifdef TLM_FLASH_BY_NUMBER
typedef tlm_flash_t tlm_offset_t;
#else
typedef uint32_t tlm_offset_t;
#endif

#endif
