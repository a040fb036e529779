/* Start: the boot ROM has loaded everything and jumps here, with register windows on. This firmware uses none (call0 ABI).
 * The assembler knows the ESP8266's core, which has no windows: their registers are written as bytes. */
    .section .text.tlm_start, "ax", @progbits
    .literal_position
    .balign 4
    .global tlm_start
    .type tlm_start, @function
tlm_start:
    movi a2, 0x2F                   /* PS: windows off, every interrupt masked, no exception in progress */
    wsr.ps a2
    rsync
    movi a2, 0
    wsr.intenable a2
    .byte 0x20, 0x48, 0x13          /* wsr.windowbase a2 */
    rsync                           /* other registers have the names now */
    movi a2, 1
    .byte 0x20, 0x49, 0x13          /* wsr.windowstart a2 */
    rsync

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
