/* void tlm_dot_quad(const uint8_t *weights, const int8_t *x, uint16_t count, uint32_t offset, uint32_t *sums)
 *
 * What firmware/port/quads-word/quad.c does and explains, in 11 instructions for four multiply-accumulates; that file's C takes
 * 12. 32 inputs a loop, whose second half a count with an odd 16 begins in. From RAM: flash is read through a cache.
 */
    .section .hot.tlm_dot_quad, "ax", @progbits
    .balign 4
    .global tlm_dot_quad
    .type tlm_dot_quad, @function

/* a5 += w x, a6 += ((w >> 8) & t4) x, a7 += (w >> 16) x. */
    .macro INPUT number
    lw t0, (4 * \number)(a0)
    lb t3, \number(a1)
    srli t1, t0, 8
    srli t2, t0, 16
    and t1, t1, t4
    mul t0, t0, t3
    mul t1, t1, t3
    mul t2, t2, t3
    add a5, a5, t0
    add a6, a6, t1
    add a7, a7, t2
    .endm

tlm_dot_quad:
    li a5, 0
    li a6, 0
    li a7, 0
    li t4, 0x00FF00FF
    andi t0, a2, 16
    andi t5, a2, -16
    add t5, t5, a1                  /* where whole sixteens end */
    add a2, a2, a1                  /* where x ends */
    beq a1, t5, 2f
    beqz t0, 1f
    addi a0, a0, -64
    addi a1, a1, -16
    j 5f
1:  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    INPUT \number
    .endr
5:  .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    INPUT \number
    .endr
    addi a0, a0, 128
    addi a1, a1, 32
    bne a1, t5, 1b
2:  beq a1, a2, 4f
3:  INPUT 0
    addi a0, a0, 4
    addi a1, a1, 1
    bne a1, a2, 3b

4:  slli t0, a6, 8                  /* a5 = M0 - 2^24 M3 */
    sub a5, a5, t0
    slli t0, a7, 16
    sub a5, a5, t0
    slli t0, a5, 8                  /* t0 = M0 */
    srai t0, t0, 8
    sub a5, t0, a5                  /* 2^24 M3 */
    srli a5, a5, 24                 /* M3's low byte */
    slli t1, a5, 16
    sub a6, a6, t1                  /* M1 + 2^24 (M3 >> 8) */
    slli t1, a6, 8                  /* t1 = M1 */
    srai t1, t1, 8
    sub a6, a6, t1
    srli a6, a6, 16                 /* M3's second byte, in place */
    or a5, a5, a6
    slli t2, a5, 8
    sub a7, a7, t2                  /* M2 + 2^24 (M3 >> 16) */
    slli t2, a7, 8                  /* t2 = M2 */
    srai t2, t2, 8
    sub a7, a7, t2                  /* M3's third byte, already at the top */
    slli a5, a5, 8
    or a5, a5, a7
    srai a5, a5, 8                  /* M3 */
    sub t0, t0, a3
    sub t1, t1, a3
    sub t2, t2, a3
    sub a5, a5, a3
    sw t0, 0(a4)
    sw t1, 4(a4)
    sw t2, 8(a4)
    sw a5, 12(a4)
    ret
    .size tlm_dot_quad, . - tlm_dot_quad
