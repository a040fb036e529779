/* The kernel of layout pairs (tlm_four.h) with MAC16, one 16-bit multiply-and-add an instruction into a single accumulator of
 * 40 bits, of which 32 are used; so each sum has a loop of its own. A multiply can load the next word by the way. A word of
 * weights w gives t as it is, and u with its high bytes cleared. 8 weights: 5 instructions for t, 9 for u. */
#include "tlm_mac16.h"

    .section .hot.tlm_dot_four, "ax", @progbits
    .balign 4
    .global tlm_dot_four
    .type tlm_dot_four, @function
    .begin no-transform
tlm_dot_four:
    ENTER
    _movi a14, 0xFF
    _slli a8, a14, 16
    _or a14, a14, a8                /* 0x00FF00FF */
    _slli a7, a7, 4
    _add a7, a7, a6                 /* where sums end */
    _slli a15, a4, 4                /* the bytes of a block */
    _movi a13, 8                    /* from its first pair to its second; and on to the next block's */
    _beqz a4, 5f
    _or a8, a8, a8                  /* place the loop */
    _or a8, a8, a8
    _or a8, a8, a8

1:  _movi a8, 0                     /* t: m0, m1 weights, m2, m3 inputs */
    CLEAR_SUM 8
    _addi a10, a2, -4
    _addi a11, a3, -4
    LOAD 0, 10
    LOAD 2, 11
    _addi a9, a4, -1
    LOOP_IF_ANY 9, 2f
    MULA_DD_LOAD LOW, 1, 10, 0, 2
    MULA_DD_LOAD HIGH, 3, 11, 0, 2
    _addi a10, a10, 8               /* past the other pair */
    MULA_DD_LOAD LOW, 0, 10, 1, 3
    MULA_DD_LOAD HIGH, 2, 11, 1, 3
2:  MULA_DD_LOAD LOW, 1, 10, 0, 2   /* the last group loads nothing behind it */
    MULA_DD_LOAD HIGH, 3, 11, 0, 2
    MULA_DD LOW, 1, 3
    MULA_DD HIGH, 1, 3
    READ_SUM 12

    _mov a10, a2                    /* u: a8, a9 weights, m0, m1 inputs */
    _addi a11, a3, -4
    LOAD 0, 11
    _movi a8, 0
    CLEAR_SUM 8
    LOOP 4, 3f
    _l32i a8, a10, 0
    _l32i a9, a10, 4
    _and a8, a8, a14
    _and a9, a9, a14
    MULA_DA_LOAD LOW, 1, 11, 0, 8
    MULA_DA HIGH, 0, 8
    MULA_DA_LOAD LOW, 0, 11, 1, 9
    MULA_DA HIGH, 1, 9
    _addi a10, a10, 16
3:  READ_SUM 8

    _sub a9, a12, a8
    _srai a9, a9, 8
    _sub a8, a8, a5
    _s32i a8, a6, 0
    _s32i a9, a6, 4
    _add a2, a2, a13
    _sub a13, a15, a13
    _addi a6, a6, 8
    _beq a6, a7, 4f
    _j 1b

4:  LEAVE
5:  _s32i a4, a6, 0                 /* no inputs: zeros */
    _addi a6, a6, 4
    _bne a6, a7, 5b
    _j 4b
    .end no-transform
    .size tlm_dot_four, . - tlm_dot_four
