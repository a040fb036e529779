/* int32_t tlm_high(int32_t a, int32_t b): a * b / 2^32, rounded down; b >= 0. A byte of b at a time, the lowest first: 94 bytes.
 *
 * a in r25:r22, b in r21:r18; the sum so far in r16:r31:r30:r27:r26, of which the lowest byte is dropped each time.
 */
    .section .text.tlm_high, "ax", @progbits
    .global tlm_high
    .type tlm_high, @function
tlm_high:
    push r16
    push r17
    mov r0, r22                     /* a's bytes in r25, r23, r24, r22: MULSU takes r16 to r23 */
    mov r22, r25
    mov r25, r0
    clr r26
    clr r27
    movw r30, r26
    clr r17
    rcall 1f
    movw r22, r26
    movw r24, r30
    clr r1
    pop r17
    pop r16
    ret
1:  rcall 2f                        /* four times what is at 3 */
2:  rcall 3f
3:  mov r16, r31
    lsl r16
    sbc r16, r16
    mul r25, r18
    add r26, r0
    adc r27, r1
    adc r30, r17
    adc r31, r17
    adc r16, r17
    mul r23, r18
    add r27, r0
    adc r30, r1
    adc r31, r17
    adc r16, r17
    mul r24, r18
    add r30, r0
    adc r31, r1
    adc r16, r17
    mulsu r22, r18
    add r31, r0
    adc r16, r1
    mov r26, r27
    mov r27, r30
    mov r30, r31
    mov r31, r16
    mov r18, r19
    mov r19, r20
    mov r20, r21
    ret
    .size tlm_high, . - tlm_high
