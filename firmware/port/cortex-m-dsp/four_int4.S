/* The kernel of layout fours (tlm_four.h) with SMLAD, which sums two 16-bit products. Of a word the four sums take what is left
 * after a row's four bits are gone. 32 weights in 31 instructions.
 */
    .syntax unified
    .arch armv7e-m
    .thumb
    .section .hot.tlm_dot_four_int4, "ax", %progbits
    .balign 4
    .global tlm_dot_four_int4
    .type tlm_dot_four_int4, %function
    .thumb_func

    .macro WORD w, x
    smlad r9, \w, \x, r9
    bic \w, \w, #0xF000F000
    smlad r10, \w, \x, r10
    uxtb16 \w, \w
    smlad r11, \w, \x, r11
    and \w, \w, #0x000F000F
    smlad r12, \w, \x, r12
    .endm

    .macro TWO_GROUPS
    ldmia r1!, {r3, r4, r5, r6}     /* x: inputs (0, 2), (1, 3), (4, 6), (5, 7) */
    ldmia r0!, {r7, r8}
    WORD r7, r3
    WORD r8, r4
    ldmia r0!, {r7, r8}
    WORD r7, r5
    WORD r8, r6
    .endm

tlm_dot_four_int4:
    rsb r3, r3, #0
    push {r1-r11, lr}
    ldr lr, [sp, #48]               /* sums */
    ldr r4, [sp, #52]
    add r4, lr, r4, lsl #4          /* where they end */
    str r4, [sp, #52]
0:  ldm sp, {r1, r2, r12}           /* x, groups; each row's sum starts from -offset */
    add r11, r12, r12, lsl #4
    add r10, r11, r12, lsl #8
    mov r9, r10
    subs r2, r2, #4
    blt 2f
1:  TWO_GROUPS
    TWO_GROUPS
    subs r2, r2, #4
    bge 1b
2:  adds r2, r2, #4
    beq 4f
3:  ldmia r1!, {r3, r4}
    ldmia r0!, {r7, r8}
    WORD r7, r3
    WORD r8, r4
    subs r2, r2, #1
    bne 3b
4:  ldr r3, [sp, #52]
    sub r9, r9, r10
    sub r10, r10, r11
    sub r11, r11, r12
    asr r7, r9, #12
    asr r6, r10, #8
    asr r5, r11, #4
    strd r12, r5, [lr], #8
    strd r6, r7, [lr], #8
    cmp lr, r3
    bne 0b
    pop {r1-r11, pc}
    .size tlm_dot_four_int4, . - tlm_dot_four_int4
