/* From reset to main() on any Cortex-M: the first two words of the image, then .data and .bss. */
#include <stdint.h>

extern uint32_t tlm_data_load[], tlm_data_start[], tlm_data_end[], tlm_bss_start[], tlm_bss_end[], tlm_stack_top[];

int main(void);
void tlm_start(void);
void tlm_fault(void);

/* Stops where a debugger sees it. No interrupt is ever taken: the serial line only wakes the core (PRIMASK stays set). */
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

extern const tlm_vector_t tlm_vectors[16];

/* Stack, reset, then the core's own 14 exceptions. */
__attribute__((section(".vectors"), used)) const tlm_vector_t tlm_vectors[16] = {
    {.stack = tlm_stack_top}, {.handler = tlm_start}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
    {.handler = tlm_fault},   {.handler = tlm_fault}, {.handler = tlm_fault}, {.handler = tlm_fault},
};
