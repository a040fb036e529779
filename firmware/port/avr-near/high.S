/* int32_t tlm_high(int32_t a, int32_t b): a * b / 2^32, rounded down; b >= 0. Bit by bit: 58 bytes.
 *
 * a in r25:r22, b in r21:r18; the sum so far in r31:r30:r27:r26, halved after each bit of b. It needs 33 bits before that:
 * where ADD overflows, its carry is the sum's sign.
 */
    .section .text.tlm_high, "ax", @progbits
    .global tlm_high
    .type tlm_high, @function
tlm_high:
    ldi r26, 32
    mov r0, r26
    clr r26
    clr r27
    movw r30, r26
1:  lsr r21
    ror r20
    ror r19
    ror r18
    brcc 2f
    add r26, r22
    adc r27, r23
    adc r30, r24
    adc r31, r25
    brvs 3f
2:  mov r1, r31
    lsl r1
3:  ror r31
    ror r30
    ror r27
    ror r26
    dec r0
    brne 1b
    movw r22, r26
    movw r24, r30
    clr r1
    ret
    .size tlm_high, . - tlm_high
