/* void tlm_dot_eight(const uint8_t *weights, const int32_t *x, uint32_t count, uint32_t *sums)
 *
 * The kernel of layout eights (tlm_eight.h): 8 weights in 17 instructions, and 24 for each 128 to part the sums, which stay in
 * registers. From RAM: flash is read through a cache.
 */
    .section .hot.tlm_dot_eight, "ax", @progbits
    .balign 4
    .global tlm_dot_eight
    .type tlm_dot_eight, @function

/* a5, a6, a7, t3 += the rows of a word times x. */
    .macro INPUT number
    lw t0, (4 * \number)(a0)
    lw t1, (4 * \number)(a1)
    and t2, t0, a4
    mul t2, t2, t1
    add a5, a5, t2
    srli t2, t0, 4
    and t2, t2, a4
    mul t2, t2, t1
    add a6, a6, t2
    srli t2, t0, 8
    and t2, t2, a4
    mul t2, t2, t1
    add a7, a7, t2
    srli t0, t0, 12
    and t0, t0, a4
    mul t0, t0, t1
    add t3, t3, t0
    .endm

/* Two sums more by the halves of `from`. */
    .macro PART from, low, high
    slli t2, \from, 16
    srli t2, t2, 16
    srai \from, \from, 16
    add \low, \low, t2
    add \high, \high, \from
    .endm

tlm_dot_eight:
    addi sp, sp, -32
    sw s0, 0(sp)
    sw s1, 4(sp)
    sw s2, 8(sp)
    sw s3, 12(sp)
    sw s4, 16(sp)
    sw s5, 20(sp)
    lw t4, 0(a3)
    lw t5, 4(a3)
    lw t6, 8(a3)
    lw s0, 12(a3)
    lw s1, 16(a3)
    lw s2, 20(a3)
    lw s3, 24(a3)
    lw s4, 28(a3)
    li a4, 0x000F000F
    slli a2, a2, 2
    add a2, a2, a1                  /* where x ends */
1:  li a5, 0x8000
    mv a6, a5
    mv a7, a5
    mv t3, a5
    addi s5, a1, 64
    bltu a2, s5, 3f                 /* fewer than sixteen inputs */
2:  INPUT 0
    INPUT 1
    INPUT 2
    INPUT 3
    INPUT 4
    INPUT 5
    INPUT 6
    INPUT 7
    addi a0, a0, 32
    addi a1, a1, 32
    bne a1, s5, 2b
    j 4f
3:  INPUT 0
    addi a0, a0, 4
    addi a1, a1, 4
    bne a1, a2, 3b
4:  PART a5, t4, s1
    PART a6, t5, s2
    PART a7, t6, s3
    PART t3, s0, s4
    bne a1, a2, 1b
    sw t4, 0(a3)
    sw t5, 4(a3)
    sw t6, 8(a3)
    sw s0, 12(a3)
    sw s1, 16(a3)
    sw s2, 20(a3)
    sw s3, 24(a3)
    sw s4, 28(a3)
    lw s0, 0(sp)
    lw s1, 4(sp)
    lw s2, 8(sp)
    lw s3, 12(sp)
    lw s4, 16(sp)
    lw s5, 20(sp)
    addi sp, sp, 32
    ret
    .size tlm_dot_eight, . - tlm_dot_eight
