/* Port: AVR. The USART is polled: its two bytes of buffer are enough while a frame comes, as each of its bytes but the last takes
 * less than the 1,389 cycles that the next one needs at 115200 baud and 16 MHz; and then the host waits for the answer. */
#include "tlm_port.h"

#include <avr/io.h>

#include "board.h"

/* Double speed (U2X0): at 16 MHz and 115200 baud the divider is 17 and the error 2.1 %, as on every Arduino. 8 data bits, no
 * parity and one stop bit is what UCSR0C says after a reset. */
void tlm_port_init(void)
{
    UBRR0 = (uint16_t)((TLM_CLOCK_HZ / 4 / TLM_BAUD - 1) / 2);
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
}

int tlm_port_read(void)
{
    loop_until_bit_is_set(UCSR0A, RXC0);
    return UDR0;
}

void tlm_port_write(uint8_t byte)
{
    loop_until_bit_is_set(UCSR0A, UDRE0);
    UDR0 = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return (tlm_flash_t)tlm_language;
}
