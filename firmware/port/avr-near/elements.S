/* The operators of one element (runtime/tlm_layers.h), short rather than fast: some 240 bytes, of which they share half.
 *
 * int8_t tlm_rescale(const tlm_rescale_t *by, int32_t sum)
 * int8_t tlm_product(const tlm_product_t *by, int8_t a, int8_t b)
 * int8_t tlm_sum(const tlm_sum_t *sum, int8_t a, int8_t b)
 * Arguments: by r25:r24, sum r23:r20; a r22, b r20. They return r24.
 */

/* The structs: the first has a factor at 0, what is added at 4 and, where it is below zero, at 8; the last two factors and what is added. */
#define ADD 4
#define ADD_BELOW 8
#define SUM_ADD 8
#define SHIFT 12
#define LEFT 13
#define RESCALE_LEAST 14
#define ZERO_A 13
#define ZERO_B 14
#define PRODUCT_LEAST 15
#define SUM_LEAST 13

    .macro FUNCTION name
    .global \name
    .type \name, @function
\name:
    push r28
    push r29
    movw r28, r24
    .endm

/* high:low = a byte less another. */
    .macro LESS low, high, byte
    subi \low, 128                  /* as numbers without a sign the carry is that of the difference */
    subi \byte, 128
    sub \low, \byte
    sbc \high, \high
    .endm

    .section .text.tlm_elements, "ax", @progbits
    FUNCTION tlm_rescale
    movw r24, r22
    movw r22, r20
    ldd r18, Y+LEFT
1:  subi r18, 1
    brcs 2f
    lsl r22
    rol r23
    rol r24
    rol r25
    rjmp 1b
2:  ldi r30, RESCALE_LEAST
    rjmp times_factor

    FUNCTION tlm_product
    ldd r18, Y+ZERO_A
    LESS r22, r23, r18
    ldd r18, Y+ZERO_B
    LESS r20, r21, r18
    mul r22, r20
    movw r24, r0
    mul r22, r21
    add r25, r0
    mul r23, r20
    add r25, r0
    clr r22
    clr r23
    clr r1
    ldi r30, PRODUCT_LEAST
/* r25:r22 times the factor / 2^32, and what is added; r30 says where the least answer is. */
times_factor:
    push r30
    ld r18, Y
    ldd r19, Y+1
    ldd r20, Y+2
    ldd r21, Y+3
    call tlm_high
    movw r26, r28
    adiw r26, ADD
    sbrc r25, 7
    adiw r26, ADD_BELOW - ADD
    ld r0, X+
    add r22, r0
    ld r0, X+
    adc r23, r0
    ld r0, X+
    adc r24, r0
    ld r0, X+
    adc r25, r0
    pop r30
/* r25:r24 shifted and clamped; the two lower bytes are nothing now, as the shift is 16 or more. */
answer:
    ldd r18, Y+SHIFT
1:  cpi r18, 17
    brlo 2f
    asr r25
    ror r24
    dec r18
    rjmp 1b
2:  add r28, r30
    adc r29, r1
    ld r18, Y
    mov r0, r24
    lsl r0
    sbc r0, r0
    cp r0, r25
    breq 3f
    ldi r24, 127
    sbrc r25, 7
    ldi r24, 128
3:  cp r24, r18
    brge 4f
    mov r24, r18
4:  pop r29
    pop r28
    ret

    FUNCTION tlm_sum
    ldd r24, Y+SUM_ADD
    ldd r25, Y+SUM_ADD+1
    ldd r26, Y+SUM_ADD+2
    ldd r27, Y+SUM_ADD+3
    mov r18, r20
    mov r20, r22
    rcall plus_times
    mov r20, r18
    rcall plus_times
    clr r1
    sbiw r28, 8
    movw r24, r26
    ldi r30, SUM_LEAST
    rjmp answer

/* r27:r24 += r20 times the factor of three bytes at Y, which moves on by four. */
plus_times:
    ld r21, Y+
    mulsu r20, r21
    sbc r21, r21                    /* the carry is the product's sign */
    add r24, r0
    adc r25, r1
    adc r26, r21
    adc r27, r21
    ld r21, Y+
    mulsu r20, r21
    sbc r21, r21
    add r25, r0
    adc r26, r1
    adc r27, r21
    ld r21, Y+
    muls r20, r21
    add r26, r0
    adc r27, r1
    adiw r28, 1
    ret
    .size tlm_rescale, tlm_product - tlm_rescale
    .size tlm_product, tlm_sum - tlm_product
    .size tlm_sum, . - tlm_sum
