/* Start code without a vector table, as no interrupt is ever enabled: 104 bytes less than avr-libc's. */
#include <avr/io.h>

    .section .vectors, "ax", @progbits
    rjmp start
    .global __do_copy_data          /* both are done here: libgcc need not bring its own */
    .global __do_clear_bss
__do_copy_data:
__do_clear_bss:
start:
    clr r1
    ldi r28, lo8(__stack)
    ldi r29, hi8(__stack)
    out _SFR_IO_ADDR(SPH), r29
    out _SFR_IO_ADDR(SPL), r28
    ldi r26, lo8(__data_start)
    ldi r27, hi8(__data_start)
    ldi r30, lo8(__data_load_start)
    ldi r31, hi8(__data_load_start)
    ldi r17, hi8(__data_end)
1:  cpi r26, lo8(__data_end)
    cpc r27, r17
    breq 2f
    lpm r0, Z+
    st X+, r0
    rjmp 1b
2:  ldi r17, hi8(__bss_end)
3:  cpi r26, lo8(__bss_end)         /* .bss follows .data */
    cpc r27, r17
    breq 4f
    st X+, r1
    rjmp 3b
4:  jmp main                        /* never returns */
