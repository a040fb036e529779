/* Port: a computer. The serial line is standard input and output, byte for byte. */
#include "tlm_port.h"

#include <stdio.h>

extern const uint8_t tlm_language[];

/* Unbuffered: the program answers each byte when it comes, also through a pipe. */
void tlm_port_init(void)
{
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    (void)setvbuf(stdout, NULL, _IONBF, 0);
}

int tlm_port_read(void)
{
    int byte = getchar();
    return byte == EOF ? -1 : byte;
}

void tlm_port_write(uint8_t byte)
{
    (void)putchar(byte);
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
