/* void tlm_dot_quad(const uint8_t *weights, const int8_t *x, uint16_t count, uint32_t offset, uint32_t *sums)
 *
 * What firmware/port/quads-word/quad.c does and explains, in 13 instructions for four multiply-accumulates: no load has a sign. Weights
 * are read by whole words, as flash must be.
 */
    .section .hot.tlm_dot_quad, "ax", @progbits
    .balign 4
    .global tlm_dot_quad
    .type tlm_dot_quad, @function

/* a7 += w x, a8 += ((w >> 8) & a14) x, a9 += (w >> 16) x. */
    .macro INPUT number
    l32i a10, a2, 4 * \number
    l8ui a11, a3, \number
    slli a11, a11, 24
    srai a11, a11, 24
    srli a12, a10, 8
    and a12, a12, a14
    extui a13, a10, 16, 16
    mull a10, a10, a11
    mull a12, a12, a11
    mull a13, a13, a11
    add a7, a7, a10
    add a8, a8, a12
    add a9, a9, a13
    .endm

tlm_dot_quad:
    addi sp, sp, -16
    s32i a12, sp, 0
    s32i a13, sp, 4
    s32i a14, sp, 8
    s32i a15, sp, 12
    movi a7, 0
    movi a8, 0
    movi a9, 0
    movi a14, 0xFF
    slli a10, a14, 16
    or a14, a14, a10                /* 0x00FF00FF */
    add a15, a3, a4                 /* where x ends */
    movi a10, -8
    and a4, a4, a10
    add a4, a4, a3                  /* where whole loops end */
    beq a3, a4, 2f
1:  INPUT 0
    INPUT 1
    INPUT 2
    INPUT 3
    INPUT 4
    INPUT 5
    INPUT 6
    INPUT 7
    addi a2, a2, 32
    addi a3, a3, 8
    bne a3, a4, 1b
2:  beq a3, a15, 4f
3:  INPUT 0
    addi a2, a2, 4
    addi a3, a3, 1
    bne a3, a15, 3b

4:  slli a10, a8, 8                 /* a7 = M0 - 2^24 M3 */
    sub a7, a7, a10
    slli a10, a9, 16
    sub a7, a7, a10
    slli a10, a7, 8                 /* a10 = M0 */
    srai a10, a10, 8
    sub a7, a10, a7                 /* 2^24 M3 */
    extui a7, a7, 24, 8             /* M3's low byte */
    slli a11, a7, 16
    sub a8, a8, a11                 /* M1 + 2^24 (M3 >> 8) */
    slli a11, a8, 8                 /* a11 = M1 */
    srai a11, a11, 8
    sub a8, a8, a11
    extui a8, a8, 16, 16            /* M3's second byte, in place */
    or a7, a7, a8
    slli a12, a7, 8
    sub a9, a9, a12                 /* M2 + 2^24 (M3 >> 16) */
    slli a12, a9, 8                 /* a12 = M2 */
    srai a12, a12, 8
    sub a9, a9, a12                 /* M3's third byte, already at the top */
    slli a7, a7, 8
    or a7, a7, a9
    srai a7, a7, 8                  /* M3 */
    sub a10, a10, a5
    sub a11, a11, a5
    sub a12, a12, a5
    sub a7, a7, a5
    s32i a10, a6, 0
    s32i a11, a6, 4
    s32i a12, a6, 8
    s32i a7, a6, 12
    l32i a12, sp, 0
    l32i a13, sp, 4
    l32i a14, sp, 8
    l32i a15, sp, 12
    addi sp, sp, 16
    ret
    .size tlm_dot_quad, . - tlm_dot_quad
