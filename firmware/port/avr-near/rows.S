/* The kernel of layout rows where flash is below 64 KB and scarce: short rather than fast, some 17 cycles a weight.
 *
 * void tlm_dot_rows(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
 * void tlm_dot_row(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
 *
 * Arguments: matrix r25:r24, inputs r23:r22, first or row r21:r20, rows or y r19:r18, x r17:r16, sums r15:r14.
 */
    .section .text.tlm_dot, "ax", @progbits
    .global tlm_dot_rows
    .type tlm_dot_rows, @function
    .global tlm_dot_row
    .type tlm_dot_row, @function

/* Z = the place of a row. */
seek_row:
    movw r30, r24
    mul r22, r20
    add r30, r0
    adc r31, r1
    mul r22, r21
    add r31, r0
    mul r23, r20
    add r31, r0
    ret

tlm_dot_rows:
    .irp register, r10, r11, r12, r13, r28, r29
    push \register
    .endr
    movw r28, r14
    rcall seek_row
1:  subi r18, 1
    sbci r19, 0
    brcs 4f
    movw r26, r16
    movw r24, r22                   /* inputs to come */
    clr r10                         /* the sum: r13:r10 */
    clr r11
    movw r12, r10
2:  sbiw r24, 1
    brcs 3f
    ld r20, X+
    lpm r21, Z+
    muls r20, r21
    sbc r20, r20                    /* the carry is the product's sign */
    add r10, r0
    adc r11, r1
    adc r12, r20
    adc r13, r20
    rjmp 2b
3:  st Y+, r10
    st Y+, r11
    st Y+, r12
    st Y+, r13
    rjmp 1b
4:  clr r1
    .irp register, r29, r28, r13, r12, r11, r10
    pop \register
    .endr
    ret

tlm_dot_row:
    rcall seek_row
    movw r26, r18
5:  subi r22, 1
    sbci r23, 0
    brcs 6f
    lpm r0, Z+
    st X+, r0
    rjmp 5b
6:  clr r1
    ret
