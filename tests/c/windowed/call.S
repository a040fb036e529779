/* The kernel as a compiler with register windows has it, and a call of it from code without: as port/xtensa-esp32/rom_call.S. */
#define __XTENSA_WINDOWED_ABI__
#define tlm_dot_four windowed_four
#define tlm_dot_four_int4 windowed_four_int4
#include "four.S"
#include "four_int4.S"

/* void call_windowed(weights, x, groups, offset, sums, whether by four bits) */
    .section .text.call_windowed, "ax", @progbits
    .literal_position
    .balign 4
    .global call_windowed
    .type call_windowed, @function
call_windowed:
    addi sp, sp, -96
    s32i a0, sp, 0
    s32i a12, sp, 4
    s32i a13, sp, 8
    s32i a14, sp, 12
    s32i a15, sp, 16
    addi a8, sp, 80
    addi a9, sp, -12
    s32i a8, a9, 0
    movi a8, windowed_four
    movi a9, windowed_four_int4
    movnez a8, a9, a7
    mov a10, a2
    mov a11, a3
    mov a12, a4
    mov a13, a5
    mov a14, a6
    movi a15, 2                     /* blocks */
    movi a9, 0x4002F                /* PS: windows on, as firmware/port/xtensa/start.S otherwise */
    wsr.ps a9
    rsync
    .byte 0xE0, 0x08, 0x00          /* callx8 a8 */
    movi a9, 0x2F
    wsr.ps a9
    rsync
    l32i a0, sp, 0
    l32i a12, sp, 4
    l32i a13, sp, 8
    l32i a14, sp, 12
    l32i a15, sp, 16
    addi sp, sp, 96
    ret
    .size call_windowed, . - call_windowed
