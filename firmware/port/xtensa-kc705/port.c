/* Port: the KC705 board of QEMU with an Xtensa core: a 16550 UART, registers 4 bytes apart. For tests of the core's code. */
#include "board.h"
#include "tlm_port.h"

extern const uint8_t tlm_language[];

#define UART ((volatile uint32_t *)TLM_SERIAL_BASE)

enum { DATA = 0, LINE_CONTROL = 3, LINE_STATUS = 5 };
enum { EIGHT_BITS = 3, BYTE_THERE = 1, ROOM = 0x20 };

/* The emulator's line has no baud rate. */
void tlm_port_init(void)
{
    UART[LINE_CONTROL] = EIGHT_BITS;
}

int tlm_port_read(void)
{
    while ((UART[LINE_STATUS] & BYTE_THERE) == 0) {
    }
    return (int)(UART[DATA] & 0xFF);
}

void tlm_port_write(uint8_t byte)
{
    while ((UART[LINE_STATUS] & ROOM) == 0) {
    }
    UART[DATA] = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
