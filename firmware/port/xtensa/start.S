/* Start: the boot ROM has loaded everything and jumps here. */
#include "tlm_windows.h"

    .section .text.tlm_start, "ax", @progbits
    .literal_position
    .balign 4
    .global tlm_start
    .type tlm_start, @function
tlm_start:
    movi a2, 0x2F                   /* PS: no windows, every interrupt masked, no exception in progress */
    wsr.ps a2
    rsync
    movi a2, 0
    wsr.intenable a2
    LEAVE_WINDOWS

    movi a2, tlm_bss_start
    movi a3, tlm_bss_end
    movi a4, 0
1:  bgeu a2, a3, 2f
    s32i a4, a2, 0
    addi a2, a2, 4
    j 1b
2:  movi sp, tlm_stack_top
    call0 main
3:  j 3b                            /* the end of main stops where a debugger sees it */
    .size tlm_start, . - tlm_start
