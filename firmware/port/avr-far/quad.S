/* void tlm_dot_quad(uint32_t weights, const int8_t *x, uint16_t count, uint32_t offset, uint32_t *sums)
 *
 * The kernel of layout quads on an AVR: 38 cycles for four multiply-accumulates. MULSU leaves the sign of its 16-bit product in
 * the carry, so SBC makes the third byte of it; three bytes hold a sum of 256 products (tlm_quad.h). ELPM steps RAMPZ:Z by
 * itself. Arguments: weights r25:r22, x r21:r20, count r19:r18, offset r17:r14, sums r13:r12.
 */
#include <avr/io.h>

    .section .text.tlm_dot_quad, "ax", @progbits
    .global tlm_dot_quad
    .type tlm_dot_quad, @function

#define X_NOW r20
#define W r21
#define SIGN r22

    .macro ROW low, middle, high
    elpm W, Z+
    mulsu X_NOW, W
    sbc SIGN, SIGN
    add \low, r0
    adc \middle, r1
    adc \high, SIGN
    .endm

    .macro INPUT
    ld X_NOW, X+
    ROW r2, r3, r4
    ROW r5, r6, r7
    ROW r8, r9, r10
    ROW r11, r24, r25
    .endm

/* *X++ = the sum in three bytes, extended, less the offset. */
    .macro STORE low, middle, high
    clr SIGN
    sbrc \high, 7
    com SIGN
    sub \low, r14
    sbc \middle, r15
    sbc \high, r16
    sbc SIGN, r17
    st X+, \low
    st X+, \middle
    st X+, \high
    st X+, SIGN
    .endm

tlm_dot_quad:
    .irp register, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11
    push \register
    .endr
    movw r26, r20
    movw r30, r22
    out _SFR_IO_ADDR(RAMPZ), r24
    .irp register, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r24, r25
    clr \register
    .endr
    mov r23, r18                    /* what is over four inputs a loop: one by one */
    andi r23, 3
    brne 1f
    rjmp 2f
1:  INPUT
    dec r23
    breq 2f
    rjmp 1b
2:  lsr r19
    ror r18
    lsr r18                         /* count / 4: at most 64 */
    brne 3f
    rjmp 4f
3:  INPUT
    INPUT
    INPUT
    INPUT
    dec r18
    breq 4f
    rjmp 3b
4:  movw r26, r12
    STORE r2, r3, r4
    STORE r5, r6, r7
    STORE r8, r9, r10
    STORE r11, r24, r25
    clr r1
    .irp register, r11, r10, r9, r8, r7, r6, r5, r4, r3, r2
    pop \register
    .endr
    ret
    .size tlm_dot_quad, . - tlm_dot_quad
