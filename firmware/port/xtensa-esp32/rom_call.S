/* uint32_t tlm_rom_call(uint32_t function, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
 *
 * The ROM's functions use register windows (CALL8 ABI), this firmware does not. While windows are on, an overflow may spill
 * our registers: a0 to a3 below the callee's stack, a4 to a7 into the 32 bytes below our caller's, whose address it takes from
 * 12 bytes below our stack pointer. So that word holds the address of a frame with nothing in it. a8 to a15 become the
 * callee's. The assembler knows no windows: CALLX8 is written as bytes. */
    .section .text.tlm_rom_call, "ax", @progbits
    .balign 4
    .global tlm_rom_call
    .type tlm_rom_call, @function
tlm_rom_call:
    addi sp, sp, -96
    s32i a0, sp, 0
    s32i a12, sp, 4
    s32i a13, sp, 8
    s32i a14, sp, 12
    s32i a15, sp, 16
    addi a8, sp, 80                 /* the frame of a caller: 32 bytes below it are free */
    addi a9, sp, -12
    s32i a8, a9, 0
    mov a8, a2
    mov a10, a3
    mov a11, a4
    mov a12, a5
    mov a13, a6
    movi a9, 1
    slli a9, a9, 18                 /* PS.WOE */
    rsr.ps a2
    or a2, a2, a9
    wsr.ps a2
    rsync
    .byte 0xE0, 0x08, 0x00          /* callx8 a8 */
    movi a9, 0x2F                   /* PS as start.S left it */
    wsr.ps a9
    rsync
    mov a2, a10
    l32i a0, sp, 0
    l32i a12, sp, 4
    l32i a13, sp, 8
    l32i a14, sp, 12
    l32i a15, sp, 16
    addi sp, sp, 96
    ret
    .size tlm_rom_call, . - tlm_rom_call
