/* int32_t tlm_four_take(const int8_t *x, uint32_t groups, int16_t *wide)
 *
 * SXTB16 widens bytes 0 and 2 of a word, or 1 and 3 of it turned. LDR needs no alignment. Four inputs in 8 instructions.
 */
    .syntax unified
    .arch armv7e-m
    .thumb
    .section .hot.tlm_four_take, "ax", %progbits
    .balign 4
    .global tlm_four_take
    .type tlm_four_take, %function
    .thumb_func
tlm_four_take:
    push {r4, lr}
    movs r3, #0
    mov r12, #0x00010001
    cbz r1, 2f
1:  ldr r4, [r0], #4
    sxtb16 lr, r4
    sxtb16 r4, r4, ror #8
    smlad r3, lr, r12, r3
    smlad r3, r4, r12, r3
    strd lr, r4, [r2], #8
    subs r1, r1, #1
    bne 1b
2:  mov r0, r3
    pop {r4, pc}
    .size tlm_four_take, . - tlm_four_take
