/* void tlm_dot_eight(const uint8_t *weights, const int32_t *x, uint32_t count, uint32_t *sums)
 *
 * The kernel of layout eights (tlm_eight.h): 8 weights in 17 instructions, and 32 for each 128 to part the sums. Weights are read by
 * whole words, as flash must be.
 */
    .section .hot.tlm_dot_eight, "ax", @progbits
    .balign 4
    .global tlm_dot_eight
    .type tlm_dot_eight, @function

/* a7 to a10 += the rows of a word times x. */
    .macro INPUT number
    l32i a11, a2, 4 * \number
    l32i a12, a3, 4 * \number
    and a13, a11, a6
    mull a13, a13, a12
    add a7, a7, a13
    srli a13, a11, 4
    and a13, a13, a6
    mull a13, a13, a12
    add a8, a8, a13
    srli a13, a11, 8
    and a13, a13, a6
    mull a13, a13, a12
    add a9, a9, a13
    srli a11, a11, 12
    and a11, a11, a6
    mull a11, a11, a12
    add a10, a10, a11
    .endm

/* sums[row] and sums[row + 4] += the halves of `from`. */
    .macro PART from, row
    l32i a11, a5, 4 * \row
    extui a12, \from, 0, 16
    add a11, a11, a12
    s32i a11, a5, 4 * \row
    l32i a11, a5, 4 * \row + 16
    srai \from, \from, 16
    add a11, a11, \from
    s32i a11, a5, 4 * \row + 16
    .endm

tlm_dot_eight:
    addi sp, sp, -16
    s32i a12, sp, 0
    s32i a13, sp, 4
    s32i a14, sp, 8
    movi a6, 15
    slli a7, a6, 16
    or a6, a6, a7                   /* 0x000F000F */
    slli a4, a4, 2
    add a4, a4, a3                  /* where x ends */
1:  movi a7, 1
    slli a7, a7, 15                 /* 0x8000 */
    mov a8, a7
    mov a9, a7
    mov a10, a7
    addi a14, a3, 64
    bltu a4, a14, 3f                /* fewer than sixteen inputs */
2:  INPUT 0
    INPUT 1
    INPUT 2
    INPUT 3
    INPUT 4
    INPUT 5
    INPUT 6
    INPUT 7
    addi a2, a2, 32
    addi a3, a3, 32
    bne a3, a14, 2b
    j 4f
3:  INPUT 0
    addi a2, a2, 4
    addi a3, a3, 4
    bne a3, a4, 3b
4:  PART a7, 0
    PART a8, 1
    PART a9, 2
    PART a10, 3
    bne a3, a4, 1b
    l32i a12, sp, 0
    l32i a13, sp, 4
    l32i a14, sp, 8
    addi sp, sp, 16
    ret
    .size tlm_dot_eight, . - tlm_dot_eight
