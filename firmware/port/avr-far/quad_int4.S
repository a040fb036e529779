/* The kernel of weights of 4 bits in layout quads (tlm_quad_int4.h) on an AVR: 30 cycles for four multiply-accumulates.
 *
 * A byte b holds two rows' weights for one input, each plus 8: low + 16 high. Of b x and of low x a sum each, their difference is 16
 * times the high row's. A product of b has 16 bits and its sign in the carry, so that its sum takes three registers; sixteen
 * products of low keep to 16 bits (15 * 128 * 16 < 2^15), and are then added to a sum of 24.
 *
 * Arguments: weights r24:r22, x r21:r20, count r19:r18, blocks r17:r16, sum_x r15:r14, sums r13:r12.
 */
#include <avr/io.h>

#define WEIGHT r16
#define X_NOW r17
#define SIGN r18
#define LEFT r19

/* The stack from Y on. */
#define PASSES 1
#define REST 2
#define INPUTS 3
#define SUMS 5
#define OFFSET 7                        /* 8 times the sum of x: 24 bits */
#define FRAME_BYTES 9

    .macro TWO_ROWS both_low, both_middle, both_high, low, high
    elpm WEIGHT, Z+
    mulsu X_NOW, WEIGHT
    sbc SIGN, SIGN
    add \both_low, r0
    adc \both_middle, r1
    adc \both_high, SIGN
    andi WEIGHT, 15
    mulsu X_NOW, WEIGHT
    add \low, r0
    adc \high, r1
    .endm
    .macro INPUT
    ld X_NOW, X+
    TWO_ROWS r2, r3, r4, r8, r9
    TWO_ROWS r10, r11, r12, r22, r23
    .endm

/* What up to 16 inputs made of a low row, to its sum. */
    .macro PART low, high, sum_low, sum_middle, sum_high
    mov SIGN, \high
    lsl SIGN
    sbc SIGN, SIGN
    add \sum_low, \low
    adc \sum_middle, \high
    adc \sum_high, SIGN
    clr \low
    clr \high
    .endm

    .macro STORE low, middle, high
    sub \low, r19
    sbc \middle, r20
    sbc \high, r21
    st X+, \low
    st X+, \middle
    st X+, \high
    lsl \high
    sbc \high, \high
    st X+, \high
    .endm

/* Of two rows: the sum of both, which becomes the high one's, and the low one's. */
    .macro ROWS both_low, both_middle, both_high, low, middle, high
    sub \both_low, \low
    sbc \both_middle, \middle
    sbc \both_high, \high
    .rept 4
    asr \both_high
    ror \both_middle
    ror \both_low
    .endr
    STORE \low, \middle, \high
    STORE \both_low, \both_middle, \both_high
    .endm

    .section .text.tlm_dot_quads_int4, "ax", @progbits
    .global tlm_dot_quads_int4
    .type tlm_dot_quads_int4, @function
tlm_dot_quads_int4:
    .irp register, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16, r17, r28, r29
    push \register
    .endr
    movw r30, r22
    out _SFR_IO_ADDR(RAMPZ), r24
    clr r24                             /* r24:r15:r14 = sum_x, then 8 times it */
    sbrc r15, 7
    com r24
    .rept 3
    lsl r14
    rol r15
    rol r24
    .endr
    push r24
    push r15
    push r14
    push r13
    push r12
    push r21
    push r20
    mov r24, r18
    andi r24, 15
    push r24
    lsr r19                             /* count / 16: at most 16 */
    ror r18
    lsr r18
    lsr r18
    lsr r18
    push r18
    movw r24, r16
    in r28, _SFR_IO_ADDR(SPL)
    in r29, _SFR_IO_ADDR(SPH)

block:
    clr r2
    clr r3
    movw r4, r2
    movw r6, r2
    movw r8, r2
    movw r10, r2
    movw r12, r2
    movw r14, r2
    movw r22, r2
    ldd r26, Y+INPUTS
    ldd r27, Y+INPUTS+1
    ldd LEFT, Y+PASSES
    rjmp 2f
1:  .rept 16
    INPUT
    .endr
    dec LEFT
    rcall part
2:  tst LEFT
    breq 3f
    rjmp 1b
3:  ldd LEFT, Y+REST
    tst LEFT
    breq 5f
4:  INPUT
    dec LEFT
    brne 4b
    rcall part
5:  ldd r26, Y+SUMS
    ldd r27, Y+SUMS+1
    ldd r19, Y+OFFSET
    ldd r20, Y+OFFSET+1
    ldd r21, Y+OFFSET+2
    ROWS r2, r3, r4, r5, r6, r7
    ROWS r10, r11, r12, r13, r14, r15
    std Y+SUMS, r26
    std Y+SUMS+1, r27
    sbiw r24, 1
    breq 6f
    rjmp block
6:  .rept FRAME_BYTES
    pop r0
    .endr
    clr r1
    .irp register, r29, r28, r17, r16, r15, r14, r13, r12, r11, r10, r9, r8, r7, r6, r5, r4, r3, r2
    pop \register
    .endr
    ret

part:
    PART r8, r9, r5, r6, r7
    PART r22, r23, r13, r14, r15
    ret
    .size tlm_dot_quads_int4, . - tlm_dot_quads_int4
