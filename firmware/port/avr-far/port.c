/* Port: AVR. The USART fills a ring by interrupt, so that no byte is lost while the network computes; the core sleeps
 * while it waits for one. */
#include "tlm_port.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "board.h"

extern const uint8_t tlm_language[];

/* Bytes; a power of two. At 115200 baud it fills in 11 ms, and the host waits for answers: one frame is enough. */
enum { RING_BYTES = 128 };

static volatile uint8_t ring[RING_BYTES];
static volatile uint8_t head; /* where the interrupt puts the next byte */
static volatile uint8_t tail; /* where the reader takes the next one; equal to head: empty */

#define VECTOR(number) _VECTOR(number)

/* A byte that finds the ring full is lost; the link's check finds that out. */
ISR(VECTOR(TLM_SERIAL_INTERRUPT))
{
    uint8_t byte = UDR0;
    uint8_t next = (uint8_t)((head + 1) % RING_BYTES);
    if (next != tail) {
        ring[head] = byte;
        head = next;
    }
}

/* Double speed (U2X0): at 16 MHz and 115200 baud the divider is 17 and the error 2.1 %, as on every Arduino. */
void tlm_port_init(void)
{
    UBRR0 = (uint16_t)((TLM_CLOCK_HZ / 4 / TLM_BAUD - 1) / 2);
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    sei();
}

/* Sleeps while the ring is empty. The instruction after SEI runs before any interrupt, so a byte that comes just then
 * ends the sleep. (QEMU 7.2 resumes a SLEEP at the start of its block, not after it: simavr runs this, QEMU does not.) */
int tlm_port_read(void)
{
    cli();
    while (head == tail) {
        SMCR = _BV(SE); /* idle mode: the USART goes on */
        sei();
        sleep_cpu();
        SMCR = 0;
        cli();
    }
    uint8_t byte = ring[tail];
    tail = (uint8_t)((tail + 1) % RING_BYTES);
    sei();
    return byte;
}

void tlm_port_write(uint8_t byte)
{
    loop_until_bit_is_set(UCSR0A, UDRE0);
    UDR0 = byte;
}

tlm_flash_t tlm_port_language(void)
{
    return (tlm_flash_t)pgm_get_far_address(tlm_language);
}
