/* What each row of a layer takes beside its products (runtime/tlm_layers.h), on an AVR. */
#include <avr/io.h>

    .macro FUNCTION name
    .section .text.\name, "ax", @progbits
    .global \name
    .type \name, @function
\name:
    .endm

/* void tlm_rescale_run(const tlm_rescale_t *by, const int32_t *sums, uint16_t count, int8_t *y)
 *
 * A sum below 2^23 is its three low bytes, and `left` at least 8, so v is bytes 3 to 6 of the sum times the factor << (left - 8):
 * five bytes F4:F0, of which the first or the last is zero (tinylm/forms.py). Where `left` is 16 or more, the three bytes are those of
 * the sum << 8, and the factor's shift is 8 less. What is added is added to v; its upper two bytes are y. Products of bytes have
 * no sign, so that a sum below zero gives 2^24 factors too many: they are taken off what is added then. 96 cycles a row where shift
 * is 16 and left below it.
 *
 * Arguments: by r25:r24, sums r23:r22, count r21:r20, y r19:r18.
 */
#define BY_FACTOR 0
#define BY_ADD 4
#define BY_ADD_BELOW 8
#define BY_SHIFT 12
#define BY_LEFT 13
#define BY_LEAST 14

#define F0 r2
#define F1 r3
#define F2 r4
#define F3 r5
#define S0 r14
#define S1 r15
#define S2 r16
#define P1 r17
#define P2 r18
#define P3 r19
#define P4 r20
#define P5 r21
#define P6 r22
#define LEAST r23
#define UP 3                        /* the bit beside the shift, which is below 8, that says that sums go up a byte */
#define ZERO r28
#define F4 r29

/* bytes += r1:r0, with what carries of it */
    .macro ADD_2 a, b
    add \a, r0
    adc \b, r1
    .endm
    .macro ADD_3 a, b, c
    ADD_2 \a, \b
    adc \c, ZERO
    .endm
    .macro ADD_4 a, b, c, d
    ADD_3 \a, \b, \c
    adc \d, ZERO
    .endm

    FUNCTION tlm_rescale_run
    .irp register, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16, r17, r28, r29
    push \register
    .endr
    movw r28, r24
    movw r26, r22
    movw r30, r18
    movw r24, r20
    ldd F0, Y+BY_FACTOR
    ldd F1, Y+BY_FACTOR+1
    ldd F2, Y+BY_FACTOR+2
    ldd F3, Y+BY_FACTOR+3
    ldd r6, Y+BY_ADD
    ldd r7, Y+BY_ADD+1
    ldd r8, Y+BY_ADD+2
    ldd r9, Y+BY_ADD+3
    ldd r10, Y+BY_ADD_BELOW
    ldd r11, Y+BY_ADD_BELOW+1
    ldd r12, Y+BY_ADD_BELOW+2
    ldd r13, Y+BY_ADD_BELOW+3
    ldd LEAST, Y+BY_LEAST
    ldd r18, Y+BY_SHIFT
    ldd r19, Y+BY_LEFT
    subi r18, 16
    cpi r19, 16
    brlo 1f
    subi r19, 8
    ori r18, 1 << UP
1:  push r18                        /* the bits to shift y by: most often none; and UP */
    clr F4
1:  subi r19, 1
    cpi r19, 7
    breq 2f
    lsl F0
    rol F1
    rol F2
    rol F3
    rol F4
    rjmp 1b
2:  sub r10, F0
    sbc r11, F1
    sbc r12, F2
    sbc r13, F3
    clt
    tst r18
    breq 1f
    set                             /* T: y is to be shifted, or the sum */
1:  clr ZERO
    rjmp row
sum_up:
    pop r0
    push r0
    sbrs r0, UP
    rjmp take
    mov S2, S1
    mov S1, S0
    clr S0
    rjmp take
row:
    sbiw r24, 1
    brcc 1f
    rjmp end
1:  ld S0, X+
    ld S1, X+
    ld S2, X+
    adiw r26, 1
    brts sum_up
take:
    tst F4
    breq 1f
    rjmp upper_four
1:  mul S0, F0                      /* the product with F3:F0; byte 0 gives no carry */
    mov P1, r1
    mul S0, F2
    movw P2, r0
    mul S0, F1
    ADD_3 P1, P2, P3
    clr P4
    mul S0, F3
    ADD_2 P3, P4
    mul S1, F0
    ADD_4 P1, P2, P3, P4
    mul S1, F1
    ADD_3 P2, P3, P4
    clr P5
    mul S1, F2
    ADD_3 P3, P4, P5
    mul S1, F3
    ADD_2 P4, P5
    clr P6
    mul S2, F0
    ADD_4 P2, P3, P4, P5
    mul S2, F1
    ADD_4 P3, P4, P5, P6
    mul S2, F2
    ADD_3 P4, P5, P6
    mul S2, F3
    ADD_2 P5, P6
multiplied:
    sbrc S2, 7
    rjmp below
    add P3, r6
    adc P4, r7
    adc P5, r8
    adc P6, r9
added:
    brtc clamp
    rjmp shift_y
clamp:
    mov r0, P5
    lsl r0
    sbc r0, r0                      /* the sign of P5 */
    cpse r0, P6
    rjmp far_off
    cp P5, LEAST
    brlt least
1:  st Z+, P5
    rjmp row

below:
    add P3, r10
    adc P4, r11
    adc P5, r12
    adc P6, r13
    rjmp added
far_off:
    ldi P5, 127
    sbrs P6, 7
    rjmp 1b
least:
    st Z+, LEAST
    rjmp row

upper_four:                         /* the product with F4:F1, F0 being zero; byte 1 gives no carry */
    mul S0, F2
    movw P2, r0
    mul S0, F4
    movw P4, r0
    mul S0, F1
    add P2, r1
    adc P3, ZERO
    adc P4, ZERO
    adc P5, ZERO
    mul S0, F3
    ADD_3 P3, P4, P5
    mul S1, F1
    ADD_4 P2, P3, P4, P5
    mul S1, F2
    ADD_3 P3, P4, P5
    clr P6
    mul S1, F3
    ADD_3 P4, P5, P6
    mul S1, F4
    ADD_2 P5, P6
    mul S2, F1
    ADD_4 P3, P4, P5, P6
    mul S2, F2
    ADD_3 P4, P5, P6
    mul S2, F3
    ADD_2 P5, P6
    mul S2, F4
    add P6, r0
    rjmp multiplied
shift_y:
    pop S2
    push S2
    andi S2, (1 << UP) - 1
    rjmp 2f
1:  asr P6
    ror P5
    dec S2
2:  brne 1b
    rjmp clamp

end:
    pop r0
    clr r1
    .irp register, r29, r28, r17, r16, r15, r14, r13, r12, r11, r10, r9, r8, r7, r6, r5, r4, r3, r2
    pop \register
    .endr
    ret
    .size tlm_rescale_run, . - tlm_rescale_run

/* void tlm_biases_add(tlm_flash_t at, uint8_t bytes, uint8_t shift, uint16_t count, int32_t *sums)
 *
 * For the rows that the kernel does not add biases to (dot.c). Arguments: at r24:r22, bytes r20, shift r18, count r17:r16,
 * sums r15:r14.
 */
#define BYTES r20
#define SHIFT r18
#define B0 r26
#define B1 r27
#define B2 r22
#define B3 r23

    .macro SIGN_OF byte, to
    mov \to, \byte
    lsl \to
    sbc \to, \to
    .endm

    .macro ADD_BYTE with, byte
    ld r0, Y
    \with r0, \byte
    st Y+, r0
    .endm

    FUNCTION tlm_biases_add
    push r28
    push r29
    movw r28, r14
    movw r30, r22
    out _SFR_IO_ADDR(RAMPZ), r24
    movw r24, r16
1:  sbiw r24, 1
    brcs 8f
    elpm B0, Z+
    cpi BYTES, 1
    breq 2f
    elpm B1, Z+
    cpi BYTES, 2
    breq 3f
    elpm B2, Z+
    cpi BYTES, 3
    breq 4f
    elpm B3, Z+
    rjmp 5f
2:  SIGN_OF B0, B1
3:  SIGN_OF B1, B2
4:  SIGN_OF B2, B3
5:  mov r0, SHIFT
6:  dec r0
    brmi 7f
    lsl B0
    rol B1
    rol B2
    rol B3
    rjmp 6b
7:  ADD_BYTE add, B0
    ADD_BYTE adc, B1
    ADD_BYTE adc, B2
    ADD_BYTE adc, B3
    rjmp 1b
8:  pop r29
    pop r28
    ret
    .size tlm_biases_add, . - tlm_biases_add
