/* From reset to main() on any Cortex-M: the vectors that the image begins with, then .data and .bss. */
#include <stdint.h>

#include "board.h"

extern uint32_t tlm_data_load[], tlm_data_start[], tlm_data_end[], tlm_bss_start[], tlm_bss_end[], tlm_stack_top[];

int main(void);
void tlm_start(void);
void tlm_fault(void);
void tlm_serial_interrupt(void);

/* Stops where a debugger sees it. */
void tlm_fault(void)
{
    for (;;) {
    }
}

void tlm_start(void)
{
    const uint32_t *from = tlm_data_load;
    for (uint32_t *to = tlm_data_start; to < tlm_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = tlm_bss_start; to < tlm_bss_end; to++) {
        *to = 0;
    }
    (void)main();
    tlm_fault();
}

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} tlm_vector_t;

enum { CORE_VECTORS = 16 };

extern const tlm_vector_t tlm_vectors[CORE_VECTORS + TLM_SERIAL_INTERRUPT + 1];

/* Stack, reset, the core's own 14 exceptions, and the serial line's interrupt; no other is ever enabled. */
__attribute__((section(".vectors"), used)) const tlm_vector_t tlm_vectors[CORE_VECTORS + TLM_SERIAL_INTERRUPT + 1] = {
    {.stack = tlm_stack_top}, {.handler = tlm_start}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
    [CORE_VECTORS + TLM_SERIAL_INTERRUPT] = {.handler = tlm_serial_interrupt},
};
