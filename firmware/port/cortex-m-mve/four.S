/* void tlm_dot_vector_four(const uint8_t *weights, uint32_t stride, const int8_t *x, uint32_t count, int32_t *sums,
 *                          uint32_t blocks)
 *
 * 64 weights in 10 instructions: x once, four rows of weights, four VMLADAVA, the loop's end. WLSTP masks the lanes beyond
 * `count`: they load zeros. VLDRB needs no alignment. Each accumulator of VMLADAVA is an even register.
 */
    .syntax unified
#ifdef __clang__ /* zig is told to leave the unit alone in C; gcc leaves it alone by its soft float ABI, and gas knows no .cpu of it */
    .cpu cortex-m55
#endif
    .thumb
    .section .hot.tlm_dot_vector_four, "ax", %progbits
    .balign 4
    .global tlm_dot_vector_four
    .type tlm_dot_vector_four, %function
    .thumb_func
tlm_dot_vector_four:
    push {r2, r4-r11, lr}
    mov r11, r0
    ldr r12, [sp, #40]              /* sums */
0:  mov r0, r11
    ldr r2, [sp]
    add r5, r0, r1
    add r7, r5, r1
    add r9, r7, r1
    add r11, r9, r1                 /* the next block */
    movs r4, #0
    movs r6, #0
    mov r8, r4
    mov r10, r4
    wlstp.8 lr, r3, 2f
1:  vldrb.u8 q0, [r2], #16
    vldrb.u8 q1, [r0], #16
    vldrb.u8 q2, [r5], #16
    vmladava.s8 r4, q1, q0
    vldrb.u8 q3, [r7], #16
    vmladava.s8 r6, q2, q0
    vldrb.u8 q1, [r9], #16
    vmladava.s8 r8, q3, q0
    vmladava.s8 r10, q1, q0
    letp lr, 1b
2:  strd r4, r6, [r12], #8
    strd r8, r10, [r12], #8
    ldr r0, [sp, #44]               /* blocks */
    subs r0, r0, #1
    str r0, [sp, #44]
    bne 0b
    pop {r2, r4-r11, pc}
    .size tlm_dot_vector_four, . - tlm_dot_vector_four
