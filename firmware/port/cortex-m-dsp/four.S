/* The kernel of layout pairs (tlm_four.h) with SMLAD, which sums two 16-bit products, and UXTB16, which leaves u of each half.
 * Both sums start from -offset. 16 weights in 14 instructions.
 */
    .syntax unified
    .arch armv7e-m
    .thumb
    .section .hot.tlm_dot_four, "ax", %progbits
    .balign 4
    .global tlm_dot_four
    .type tlm_dot_four, %function
    .thumb_func

    .macro GROUP
    ldmia r1!, {r8, r12}            /* x: inputs (0, 2), (1, 3) */
    ldmia r0!, {r4, r5, r6, r7}
    smlad r9, r4, r8, r9
    uxtb16 r4, r4
    smlad r10, r4, r8, r10
    smlad r9, r5, r12, r9
    uxtb16 r5, r5
    smlad r10, r5, r12, r10
    smlad r11, r6, r8, r11
    uxtb16 r6, r6
    smlad lr, r6, r8, lr
    smlad r11, r7, r12, r11
    uxtb16 r7, r7
    smlad lr, r7, r12, lr
    .endm

tlm_dot_four:
    rsb r3, r3, #0
    push {r1-r11, lr}
    ldr r3, [sp, #48]               /* sums */
    ldr r4, [sp, #52]
    add r4, r3, r4, lsl #4          /* where they end */
    str r4, [sp, #52]
0:  ldm sp, {r1, r2, r9}            /* x, groups, -offset */
    mov r10, r9
    mov r11, r9
    mov lr, r9
    subs r2, r2, #4
    blt 2f
1:  GROUP
    GROUP
    GROUP
    GROUP
    subs r2, r2, #4
    bge 1b
2:  adds r2, r2, #4
    beq 4f
3:  GROUP
    subs r2, r2, #1
    bne 3b
4:  ldr r12, [sp, #52]
    sub r9, r9, r10
    sub r11, r11, lr
    asr r4, r9, #8
    asr r5, r11, #8
    strd r10, r4, [r3], #8
    strd lr, r5, [r3], #8
    cmp r3, r12
    bne 0b
    pop {r1-r11, pc}
    .size tlm_dot_four, . - tlm_dot_four
