/* How a place in the language bytes is counted. */
#ifndef TLM_OFFSET_H
#define TLM_OFFSET_H

#include <stdint.h>

#include "tlm_port.h"

/* Bytes from the start of the language. A port whose flash is below 64 KB defines TLM_NEAR_FLASH: 16 bits are cheaper there. */
#ifdef TLM_NEAR_FLASH
typedef uint16_t tlm_offset_t;
#else
typedef uint32_t tlm_offset_t;
#endif

#endif
