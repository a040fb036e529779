/* void tlm_dot_vector_four_int4(const uint8_t *weights, uint32_t stride, const int8_t *x, const int8_t *other, uint32_t count,
 *                               int32_t *sums, uint32_t blocks)
 *
 * 128 weights in 23 instructions. Weights are multiplied as 16 times what they are, which needs no sign extension; the sums are
 * halved four times in the end. For the rest see four.S.
 */
    .syntax unified
#ifdef __clang__
    .cpu cortex-m55
#endif
    .thumb
    .section .hot.tlm_dot_vector_four_int4, "ax", %progbits
    .balign 4
    .global tlm_dot_vector_four_int4
    .type tlm_dot_vector_four_int4, %function
    .thumb_func

    .macro ROW at, sum
    vldrb.u8 q2, [\at], #16
    vshl.i8 q3, q2, #4
    vand q2, q2, q4
    vmladava.s8 \sum, q3, q0
    vmladava.s8 \sum, q2, q1
    .endm

tlm_dot_vector_four_int4:
    push {r2-r11, lr}
    vpush {d8, d9}
    vmov.i8 q4, #0xF0
    mov r11, r0
    ldr r12, [sp, #64]              /* sums */
0:  mov r0, r11
    ldrd r2, r3, [sp, #16]
    add r5, r0, r1
    add r7, r5, r1
    add r9, r7, r1
    add r11, r9, r1                 /* the next block */
    ldr lr, [sp, #60]               /* count */
    movs r4, #0
    movs r6, #0
    mov r8, r4
    mov r10, r4
    wlstp.8 lr, lr, 2f
1:  vldrb.u8 q0, [r2], #16
    vldrb.u8 q1, [r3], #16
    ROW r0, r4
    ROW r5, r6
    ROW r7, r8
    ROW r9, r10
    letp lr, 1b
2:  asrs r4, r4, #4
    asrs r6, r6, #4
    asr r8, r8, #4
    asr r10, r10, #4
    strd r4, r6, [r12], #8
    strd r8, r10, [r12], #8
    ldr r0, [sp, #68]               /* blocks */
    subs r0, r0, #1
    str r0, [sp, #68]
    bne 0b
    vpop {d8, d9}
    pop {r2-r11, pc}
    .size tlm_dot_vector_four_int4, . - tlm_dot_vector_four_int4
