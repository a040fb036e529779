/* The kernel of layout octets (tlm_octet.h) on an AVR: 66 cycles for eight multiply-accumulates, and 8 more for 16 inputs.
 * Each row's sum has three registers, so that products need no sign and the third byte takes the carry alone. ELPM steps
 * RAMPZ:Z by itself. What does not fit in registers lies on the stack; the inputs that are left of a multiple of 16 are
 * the first ones: they enter the loop in its middle.
 *
 * Arguments: weights r24:r22, inputs r21:r20, blocks r19:r18, has_biases r16, biases r14:r12 (weights and biases
 * have three bytes), sums r11:r10.
 */
#include <avr/io.h>

#define ZERO r29
#define X_NOW r28

/* tlm_octet_inputs_t */
#define INPUTS_COUNT 0
#define INPUTS_OFFSET 2
#define INPUTS_X 6

/* The stack from Y on. */
#define PASSES_LEFT 1
#define PASSES 2
#define ENTRY 3                         /* low, middle, high byte of an address in words */
#define INPUTS 6
#define START 8                         /* what every sum starts from: 24 bits */
#define BLOCKS 11
#define SUMS 13
#define BIASES 15                       /* low, middle, high byte */
#define HAS_BIASES 18
#define WEIGHTS 19                      /* where they go on, while biases are read */
#define FRAME_BYTES 20

    .macro ROW low, middle, high
    elpm r0, Z+
    mul r0, X_NOW
    add \low, r0
    adc \middle, r1
    adc \high, ZERO
    .endm
    .macro INPUT
    ld X_NOW, X+
    ROW r2, r3, r4
    ROW r5, r6, r7
    ROW r8, r9, r10
    ROW r11, r12, r13
    ROW r14, r15, r16
    ROW r17, r18, r19
    ROW r20, r21, r22
    ROW r23, r24, r25
    .endm
    .set INPUT_WORDS, 41
    .set AT_ONCE, 16                    /* inputs a pass of the loop */

/* A sum += the next bias. */
    .macro BIAS low, middle, high
    elpm r28, Z+
    add \low, r28
    elpm r28, Z+
    adc \middle, r28
    elpm r28, Z+
    adc \high, r28
    .endm

/* *X++ = a sum in three bytes, its sign extended. */
    .macro STORE low, middle, high
    st X+, \low
    st X+, \middle
    st X+, \high
    lsl \high
    sbc \high, \high
    st X+, \high
    .endm

    .section .text.tlm_dot_octets, "ax", @progbits
    .global tlm_dot_octets
    .type tlm_dot_octets, @function
tlm_dot_octets:
    .irp register, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16, r17, r28, r29
    push \register
    .endr
    movw r30, r22
    out _SFR_IO_ADDR(RAMPZ), r24
    movw r26, r18                       /* blocks */
    movw r28, r20
    push r0                             /* the place of WEIGHTS, to be written */
    push r0
    push r16
    push r14
    push r13
    push r12
    push r11
    push r10
    push r27
    push r26
    ldd r18, Y+INPUTS_COUNT
    ldd r19, Y+INPUTS_COUNT+1
    ldd r14, Y+INPUTS_OFFSET
    ldd r15, Y+INPUTS_OFFSET+1
    ldd r16, Y+INPUTS_OFFSET+2
    adiw r28, INPUTS_X
    clr r0
    clr r1
    movw r2, r0
    sub r0, r14                         /* -offset */
    sbc r1, r15
    sbc r2, r16
    push r2
    push r1
    push r0
    push r29
    push r28
    /* Passes of the loop: count / 16, rounded up. It is entered (-count) % 16 inputs behind its start. */
    mov r20, r18
    neg r20
    andi r20, AT_ONCE - 1
    subi r18, -(AT_ONCE - 1)
    sbci r19, -1
    swap r18
    andi r18, 0x0F
    swap r19
    or r18, r19                         /* at most 16 */
    ldi r21, INPUT_WORDS
    mul r20, r21
    movw r20, r0
    subi r20, pm_lo8(-(loop))
    sbci r21, pm_hi8(-(loop))
    ldi r19, 0
    sbci r19, pm_hh8(-(loop))
    tst r18
    brne 3f
    ldi r20, pm_lo8(block_end)          /* no inputs at all */
    ldi r21, pm_hi8(block_end)
    ldi r19, pm_hh8(block_end)
3:  push r19
    push r21
    push r20
    push r18
    push r18

block:
    in r28, _SFR_IO_ADDR(SPL)
    in r29, _SFR_IO_ADDR(SPH)
    ldd r0, Y+PASSES
    std Y+PASSES_LEFT, r0
    ldd r26, Y+INPUTS
    ldd r27, Y+INPUTS+1
    ldd r2, Y+START
    ldd r3, Y+START+1
    ldd r4, Y+START+2
    ldd r0, Y+ENTRY
    push r0
    ldd r0, Y+ENTRY+1
    push r0
    ldd r0, Y+ENTRY+2
    push r0
    clr ZERO
    mov r5, r2
    mov r6, r3
    mov r7, r4
    movw r8, r2
    movw r10, r4
    movw r12, r6
    movw r14, r2
    movw r16, r4
    movw r18, r6
    movw r20, r2
    movw r22, r4
    movw r24, r6
    ret                                 /* to ENTRY */
loop:
    .rept AT_ONCE
    INPUT
    .endr
    pop r0
    dec r0
    push r0
    breq block_end
    rjmp loop
block_end:
    in r28, _SFR_IO_ADDR(SPL)
    in r29, _SFR_IO_ADDR(SPH)
    ldd r26, Y+SUMS
    ldd r27, Y+SUMS+1
    ldd r0, Y+HAS_BIASES
    tst r0
    brne 1f
    rjmp store
1:  std Y+WEIGHTS, r30
    std Y+WEIGHTS+1, r31
    in r0, _SFR_IO_ADDR(RAMPZ)
    ldd r30, Y+BIASES
    ldd r31, Y+BIASES+1
    ldd r1, Y+BIASES+2
    out _SFR_IO_ADDR(RAMPZ), r1
    BIAS r2, r3, r4
    BIAS r5, r6, r7
    BIAS r8, r9, r10
    BIAS r11, r12, r13
    BIAS r14, r15, r16
    BIAS r17, r18, r19
    BIAS r20, r21, r22
    BIAS r23, r24, r25
    in r28, _SFR_IO_ADDR(SPL)
    std Y+BIASES, r30
    std Y+BIASES+1, r31
    in r1, _SFR_IO_ADDR(RAMPZ)
    std Y+BIASES+2, r1
    ldd r30, Y+WEIGHTS
    ldd r31, Y+WEIGHTS+1
    out _SFR_IO_ADDR(RAMPZ), r0
store:
    STORE r2, r3, r4
    STORE r5, r6, r7
    STORE r8, r9, r10
    STORE r11, r12, r13
    STORE r14, r15, r16
    STORE r17, r18, r19
    STORE r20, r21, r22
    STORE r23, r24, r25
    std Y+SUMS, r26
    std Y+SUMS+1, r27
    ldd r24, Y+BLOCKS
    ldd r25, Y+BLOCKS+1
    sbiw r24, 1
    std Y+BLOCKS, r24
    std Y+BLOCKS+1, r25
    breq 4f
    rjmp block
4:  .rept FRAME_BYTES
    pop r0
    .endr
    clr r1
    .irp register, r29, r28, r17, r16, r15, r14, r13, r12, r11, r10, r9, r8, r7, r6, r5, r4, r3, r2
    pop \register
    .endr
    ret
    .size tlm_dot_octets, . - tlm_dot_octets

/* uint16_t tlm_octet_take(const int8_t *x, uint16_t count, uint8_t *to)
 *
 * Arguments: x r25:r24, count r23:r22, to r21:r20. Returns r25:r24.
 */
    .macro TAKE
    ld r0, X+
    add r0, r19
    st Z+, r0
    add r24, r0
    adc r25, r1
    .endm

    .section .text.tlm_octet_take, "ax", @progbits
    .global tlm_octet_take
    .type tlm_octet_take, @function
tlm_octet_take:
    movw r26, r24
    movw r30, r20
    ldi r19, 128
    clr r24
    clr r25
    rjmp 2f
1:  TAKE
    TAKE
    TAKE
    TAKE
2:  subi r22, 4
    sbci r23, 0
    brcc 1b
    subi r22, -4
    breq 4f
3:  TAKE
    dec r22
    brne 3b
4:  ret
    .size tlm_octet_take, . - tlm_octet_take
