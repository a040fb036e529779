/* The kernel of layout halves where flash is below 64 KB and scarce: short rather than fast, 16.5 cycles a weight.
 *
 * A weight is multiplied as 16 times what it is, which needs no sign extension; a row's sum is halved four times in the end.
 *
 * void tlm_dense_sums_int4(tlm_flash_t language, const tlm_dense_t *layer, const int8_t *x, uint16_t first, uint16_t count,
 *                          int32_t *sums)
 * Arguments: language r25:r24, layer r23:r22, x r21:r20, first r19:r18, count r17:r16, sums r15:r14.
 *
 * void tlm_dot_rows_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t first, uint16_t rows, const int8_t *x, int32_t *sums)
 * void tlm_dot_row_int4(tlm_flash_t matrix, uint16_t inputs, uint16_t row, int8_t *y)
 * Arguments: matrix r25:r24, inputs r23:r22, first or row r21:r20, rows or y r19:r18, x r17:r16, sums r15:r14.
 */
#include <avr/io.h>

/* tlm_dense_t */
#define WEIGHTS 0
#define BIASES 2
#define INPUTS 4
#define BIAS_BYTES 8
#define BIAS_SHIFT 9

/* Registers are saved and restored by the compiler's own routines, which -mcall-prologues brings: 18 of them. */
    .macro SAVE
    ldi r26, 0
    ldi r27, 0
    ldi r30, pm_lo8(1f)
    ldi r31, pm_hi8(1f)
    jmp __prologue_saves__
1:
    .endm

    .macro FUNCTION name
    .section .text.\name, "ax", @progbits
    .global \name
    .type \name, @function
\name:
    .endm

    FUNCTION tlm_dot_rows_int4          /* of tests */
    SAVE
    movw r6, r16
    movw r16, r18
    clr r8
    jmp rows
    .size tlm_dot_rows_int4, . - tlm_dot_rows_int4

    FUNCTION tlm_dense_sums_int4
    SAVE
    movw r6, r20
    movw r20, r18
    movw r30, r22
    ldd r10, Z+BIASES
    ldd r11, Z+BIASES+1
    ldd r22, Z+INPUTS
    ldd r23, Z+INPUTS+1
    ldd r8, Z+BIAS_BYTES
    ldd r9, Z+BIAS_SHIFT
    ld r18, Z
    ldd r19, Z+WEIGHTS+1
    add r10, r24
    adc r11, r25
    mul r8, r20
    add r10, r0
    adc r11, r1
    mul r8, r21
    add r11, r0
    add r24, r18
    adc r25, r19
/* x in r7:r6, rows to come in r17:r16, sums in r15:r14, biases in r11:r10, their bytes in r8 and their shift in r9. */
rows:
    call seek_row
    movw r4, r6                         /* where the inputs of the high halves start */
    add r4, r26
    adc r5, r27
    movw r2, r6                         /* and where they end */
    add r2, r22
    adc r3, r23
1:  subi r16, 1
    sbci r17, 0
    brcc 2f
    rjmp 11f
2:  clr r22                             /* the sum: r25:r22 */
    clr r23
    movw r24, r22
    movw r26, r6
    movw r28, r4
12: cp r26, r4
    cpc r27, r5
    breq 3f
    lpm r18, Z+
    mov r19, r18
    swap r18
    andi r18, 0xF0
    andi r19, 0xF0
    ld r20, X+
    muls r18, r20
    sbc r18, r18                        /* the carry is the product's sign */
    add r22, r0
    adc r23, r1
    adc r24, r18
    adc r25, r18
    cp r28, r2                          /* of an odd number the last: its high half holds nothing */
    cpc r29, r3
    breq 3f
    ld r20, Y+
    muls r19, r20
    sbc r18, r18
    add r22, r0
    adc r23, r1
    adc r24, r18
    adc r25, r18
    rjmp 12b
3:  ldi r18, 4
4:  asr r25
    ror r24
    ror r23
    ror r22
    dec r18
    brne 4b

    mov r0, r8                          /* the bias: r21:r18 */
    ldi r26, 4
    sub r26, r8
    movw r28, r30
    movw r30, r10
5:  dec r0
    brmi 6f
    mov r18, r19                        /* its bytes come in at the top and move down */
    mov r19, r20
    mov r20, r21
    lpm r21, Z+
    rjmp 5b
6:  movw r10, r30
    movw r30, r28
    cpi r26, 4
    breq 10f
7:  dec r26
    brmi 8f
    mov r18, r19
    mov r19, r20
    mov r20, r21
    lsl r21
    sbc r21, r21                        /* its sign */
    rjmp 7b
8:  mov r0, r9
9:  dec r0
    brmi 9f
    lsl r18
    rol r19
    rol r20
    rol r21
    rjmp 9b
9:  add r22, r18
    adc r23, r19
    adc r24, r20
    adc r25, r21
10: movw r26, r14
    st X+, r22
    st X+, r23
    st X+, r24
    st X+, r25
    movw r14, r26
    rjmp 1b
11: clr r1
    in r28, _SFR_IO_ADDR(SPL)
    in r29, _SFR_IO_ADDR(SPH)
    ldi r30, 18
    jmp __epilogue_restores__
    .size tlm_dense_sums_int4, . - tlm_dense_sums_int4

    FUNCTION tlm_dot_row_int4
    call seek_row
    movw r24, r26                       /* places to come */
    sub r22, r26                        /* of high halves */
    sbc r23, r27
    movw r26, r18
    movw r18, r30
    set
1:  sbiw r24, 1
    brcs 3f
    lpm r20, Z+
    brts 2f
    swap r20
2:  andi r20, 15
    sbrc r20, 3
    ori r20, 0xF0
    st X+, r20
    rjmp 1b
3:  brtc 4f
    clt
    movw r24, r22
    movw r30, r18
    rjmp 1b
4:  clr r1
    ret
    .size tlm_dot_row_int4, . - tlm_dot_row_int4

/* Z = the place of a row; r27:r26 = the bytes of each. */
    FUNCTION seek_row
    movw r26, r22
    adiw r26, 1
    lsr r27
    ror r26
    movw r30, r24
    mul r26, r20
    add r30, r0
    adc r31, r1
    mul r26, r21
    add r31, r0
    mul r27, r20
    add r31, r0
    ret
    .size seek_row, . - seek_row
