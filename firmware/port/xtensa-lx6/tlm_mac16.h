/* MAC16, LOOP and register windows as bytes, from the Xtensa ISA reference: the assembler is that of the ESP8266's core, which has none of them.
 *
 * A loop's first instruction lies at a multiple of 4, so that one fetch has it whole: where all have 3 bytes and the function
 * starts at a multiple of 4, the number of instructions before it is a multiple of 4. */
#ifndef TLM_MAC16_H
#define TLM_MAC16_H

/* mula.dd of half `half` (0: low, 3: high) of m\x (0, 1) and m\y (2, 3); then m\to = *(a\at += 4) */
    .macro MULA_DD_LOAD half, to, at, x, y
    .byte (\y - 2) << 6 | 4, \x << 6 | \to << 4 | \at, 0x08 | \half
    .endm
    .macro MULA_DD half, x, y
    .byte (\y - 2) << 6 | 4, \x << 6, 0x28 | \half
    .endm
/* mula.da: m\x with a\y */
    .macro MULA_DA_LOAD half, to, at, x, y
    .byte \y << 4 | 4, \x << 6 | \to << 4 | \at, 0x48 | \half
    .endm
    .macro MULA_DA half, x, y
    .byte \y << 4 | 4, \x << 6, 0x68 | \half
    .endm
    .macro LOAD to, at              /* ldinc */
    .byte 0x04, \to << 4 | \at, 0x80
    .endm
    .macro CLEAR_SUM zero           /* wsr.acclo */
    .byte \zero << 4, 0x10, 0x13
    .endm
    .macro READ_SUM to              /* rsr.acclo */
    .byte \to << 4, 0x10, 0x03
    .endm
    .macro LOOP times, end
    .byte 0x76, 0x80 | \times, \end - . - 2
    .endm
    .macro LOOP_IF_ANY times, end   /* loopgtz */
    .byte 0x76, 0xA0 | \times, \end - . - 2
    .endm
    .set LOW, 0
    .set HIGH, 3

/* Into a function that changes a12 to a15, and out of it, as the compiler's ABI has it; 4 bytes from sp on are the function's. Ours has
 * no register windows. With windows, which every vendor's framework has, arguments come in the same registers and a8 to a15 are
 * the callee's own. As many instructions of ENTER, modulo 4, as above. */
#ifdef __XTENSA_WINDOWED_ABI__
    .macro ENTER
    .byte 0x36, 0x41, 0x00          /* entry sp, 32 */
    .endm
    .macro LEAVE
    .byte 0x90, 0x00, 0x00          /* retw */
    .endm
#else
    .macro ENTER
    _addi sp, sp, -32
    _s32i a12, sp, 16
    _s32i a13, sp, 20
    _s32i a14, sp, 24
    _s32i a15, sp, 28
    .endm
    .macro LEAVE
    _l32i a12, sp, 16
    _l32i a13, sp, 20
    _l32i a14, sp, 24
    _l32i a15, sp, 28
    _addi sp, sp, 32
    _ret
    .endm
#endif
#endif
