/* void tlm_dot_four(const uint8_t *weights, const int16_t *x, uint32_t groups, uint32_t *pairs)
 *
 * Layout pairs: a word of weights is (u, s) for one input in the low half and (u, s) for another in the high half, u being the
 * first row's weight plus 128 and s the second row's as it is, so that a half, read as 16 bits, is u + 256 s. For each pair of
 * rows two sums, of `groups` (1 or more) times four inputs:
 *     sum of (u + 256 s) x, modulo 2^32        (SMLAD)
 *     sum of u x, below 2^31: 2^15 an input    (UXTB16, SMLAD)
 * pairs[0..3] = these two of the first pair, then of the second. 16 weights in 14 instructions; two groups a loop.
 * weights and x lie at multiples of 4.
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
    push {r3-r11, lr}
    mov r9, #0
    mov r10, #0
    mov r11, #0
    mov lr, #0
    lsls r3, r2, #31                /* an odd number of groups starts in the middle */
    bne 2f
1:  GROUP
2:  GROUP
    subs r2, r2, #2
    bgt 1b
    pop {r3}
    stmia r3, {r9, r10, r11, lr}
    pop {r4-r11, pc}
    .size tlm_dot_four, . - tlm_dot_four
