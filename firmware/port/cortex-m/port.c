/* Port: any Cortex-M. The serial line itself is a file of serial/, which the board's TOML names. */
#include "tlm_port.h"

extern const uint8_t tlm_language[];

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
