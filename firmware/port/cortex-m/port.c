/* Port: any Cortex-M. While the network computes, an interrupt puts what comes into a ring; the core sleeps while it waits. */
#include <stdbool.h>

#include "board.h"
#include "tlm_chip.h"
#include "tlm_port.h"

extern const uint8_t tlm_language[];

#define NVIC_ENABLE TLM_REGISTER(0xE000E100UL + TLM_SERIAL_INTERRUPT / 32 * 4)
#define NVIC_CLEAR_PENDING TLM_REGISTER(0xE000E280UL + TLM_SERIAL_INTERRUPT / 32 * 4)
#define NVIC_BIT (1UL << (TLM_SERIAL_INTERRUPT % 32))

/* Bytes; a power of two. At 115200 baud it fills in 11 ms, and the host waits for answers: one frame is enough. */
enum { RING_BYTES = 128 };

static volatile uint8_t ring[RING_BYTES];
static volatile uint8_t head; /* where the interrupt puts the next byte */
static volatile uint8_t tail; /* where the reader takes the next one; equal to head: empty */

void tlm_serial_interrupt(void);

/* A byte that finds the ring full is lost; the link's check finds that out. */
void tlm_serial_interrupt(void)
{
    for (int byte = tlm_serial_take(); byte >= 0; byte = tlm_serial_take()) {
        const uint8_t next = (uint8_t)((head + 1) % RING_BYTES);
        if (next != tail) {
            ring[head] = (uint8_t)byte;
            head = next;
        }
    }
}

static void allow_interrupts(bool allowed)
{
    if (allowed) {
        __asm__ volatile("cpsie i" ::: "memory");
    } else {
        __asm__ volatile("cpsid i" ::: "memory");
    }
}

void tlm_port_init(void)
{
    allow_interrupts(false);
    tlm_serial_start(tlm_chip_start());
    NVIC_CLEAR_PENDING = NVIC_BIT;
    NVIC_ENABLE = NVIC_BIT;
    allow_interrupts(true);
}

/* A request that is pending ends a WFI though it is masked. It is cleared before the look, so that none is missed. */
int tlm_port_read(void)
{
    int byte;
    allow_interrupts(false);
    while (head == tail) {
        NVIC_CLEAR_PENDING = NVIC_BIT;
        byte = tlm_serial_take();
        if (byte >= 0) {
            allow_interrupts(true);
            return byte;
        }
        __asm__ volatile("wfi");
    }
    byte = ring[tail];
    tail = (uint8_t)((tail + 1) % RING_BYTES);
    allow_interrupts(true);
    return byte;
}

tlm_flash_t tlm_port_language(void)
{
    return tlm_language;
}
