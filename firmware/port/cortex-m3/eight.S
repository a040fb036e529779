/* void tlm_dot_eight(const uint8_t *weights, const int32_t *x, uint32_t count, uint32_t *sums)
 *
 * The kernel of layout eights (tlm_eight.h) for Armv7-M: AND shifts by the way. 16 weights in 18 instructions, and 24 for each 128
 * to part the sums.
 */
    .syntax unified
    .arch armv7-m
    .thumb
    .section .hot.tlm_dot_eight, "ax", %progbits
    .balign 4
    .global tlm_dot_eight
    .type tlm_dot_eight, %function
    .thumb_func

/* r5..r8 += the rows of the word w (which is lost) times x. */
    .macro INPUT w, x
    and lr, r4, \w
    mla r5, lr, \x, r5
    and lr, r4, \w, lsr #4
    mla r6, lr, \x, r6
    and lr, r4, \w, lsr #8
    mla r7, lr, \x, r7
    and \w, r4, \w, lsr #12
    mla r8, \w, \x, r8
    .endm

    .macro TWO_INPUTS
    ldmia r0!, {r9, r10}
    ldmia r1!, {r11, r12}
    INPUT r9, r11
    INPUT r10, r12
    .endm

    .macro ADD_LOW sum, two
    uxth lr, \two
    add \sum, \sum, lr
    .endm

tlm_dot_eight:
    push {r3-r11, lr}
    mov r4, #0x000F000F
    add r2, r1, r2, lsl #2          /* where x ends */
1:  mov r5, #0x8000
    mov r6, r5
    mov r7, r5
    mov r8, r5
    add r3, r1, #64
    cmp r2, r3
    blo 3f                          /* fewer than sixteen inputs */
2:  TWO_INPUTS
    TWO_INPUTS
    TWO_INPUTS
    TWO_INPUTS
    cmp r1, r3
    bne 2b
    b 4f
3:  ldr r9, [r0], #4
    ldr r11, [r1], #4
    INPUT r9, r11
    cmp r1, r2
    bne 3b
4:  ldr r3, [sp]
    ldmia r3, {r9, r10, r11, r12}
    ADD_LOW r9, r5
    ADD_LOW r10, r6
    ADD_LOW r11, r7
    ADD_LOW r12, r8
    stmia r3!, {r9, r10, r11, r12}
    ldmia r3, {r9, r10, r11, r12}
    add r9, r9, r5, asr #16
    add r10, r10, r6, asr #16
    add r11, r11, r7, asr #16
    add r12, r12, r8, asr #16
    stmia r3, {r9, r10, r11, r12}
    cmp r1, r2
    bne 1b
    pop {r3-r11, pc}
    .size tlm_dot_eight, . - tlm_dot_eight
