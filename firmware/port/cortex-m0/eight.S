/* void tlm_dot_eight(const uint8_t *weights, const int32_t *x, uint32_t count, uint32_t *sums)
 *
 * The kernel of layout eights (tlm_eight.h) for Armv6-M: 16 weights in 32 instructions, and 48 for each 128 to part the sums.
 */
    .syntax unified
    .arch armv6-m
    .thumb
    .section .hot.tlm_dot_eight, "ax", %progbits
    .balign 4
    .global tlm_dot_eight
    .type tlm_dot_eight, %function
    .thumb_func

/* r8..r11 += the rows of the word w (which is lost) times x. */
    .macro INPUT w, x
    lsrs r6, \w, #4
    ands r6, r7
    muls r6, \x, r6
    add r9, r6
    lsrs r6, \w, #8
    ands r6, r7
    muls r6, \x, r6
    add r10, r6
    lsrs r6, \w, #12
    ands r6, r7
    muls r6, \x, r6
    add r11, r6
    ands \w, r7
    muls \w, \x, \w
    add r8, \w
    .endm

    .macro TWO_INPUTS
    ldmia r0!, {r2, r3}
    ldmia r1!, {r4, r5}
    INPUT r2, r4
    INPUT r3, r5
    .endm

/* sums[r] and sums[r + 4] += the halves of `from`; r6 is sums. */
    .macro PART from, r
    mov r2, \from
    uxth r3, r2
    asrs r2, r2, #16
    ldr r4, [r6, #4 * \r]
    adds r4, r4, r3
    str r4, [r6, #4 * \r]
    ldr r4, [r6, #4 * \r + 16]
    adds r4, r4, r2
    str r4, [r6, #4 * \r + 16]
    .endm

tlm_dot_eight:
    push {r3, r4, r5, r6, r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4, r5, r6, r7}
    movs r7, #15
    lsls r4, r7, #16
    orrs r7, r4
    lsls r2, r2, #2
    add r2, r1
    mov r12, r2                     /* where x ends */
1:  movs r6, #0x80
    lsls r6, r6, #8
    mov r8, r6
    mov r9, r6
    mov r10, r6
    mov r11, r6
    mov r6, r12
    subs r6, r6, r1
    cmp r6, #64
    bhs 6f
    b 3f                            /* fewer than sixteen inputs */
6:  mov r6, r1
    adds r6, #64
    mov lr, r6
2:  TWO_INPUTS
    TWO_INPUTS
    cmp r1, lr
    bne 2b
    b 4f
3:  ldmia r0!, {r2}
    ldmia r1!, {r4}
    INPUT r2, r4
    cmp r1, r12
    bne 3b
4:  ldr r6, [sp, #16]
    PART r8, 0
    PART r9, 1
    PART r10, 2
    PART r11, 3
    cmp r1, r12
    beq 5f
    b 1b
5:  pop {r4, r5, r6, r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r3, r4, r5, r6, r7, pc}
    .size tlm_dot_eight, . - tlm_dot_eight
