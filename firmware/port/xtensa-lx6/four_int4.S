/* The kernel of layout fours (tlm_four.h) with MAC16, whose only accumulator sums once over all inputs for each of t0..t3: t0 of
 * the words as they are, the others with the high bits of each half cleared. 16 weights: 4 instructions for t0, 8.5 for each
 * other. */
#include "tlm_mac16.h"

/* Four inputs: a8, a9 weights, m0, m1 inputs. */
    .macro GROUP at
    _l32i a8, a10, \at
    _l32i a9, a10, \at + 4
    _and a8, a8, a7
    _and a9, a9, a7
    MULA_DA_LOAD LOW, 1, 11, 0, 8
    MULA_DA HIGH, 0, 8
    MULA_DA_LOAD LOW, 0, 11, 1, 9
    MULA_DA HIGH, 1, 9
    .endm

    .section .hot.tlm_dot_four_int4, "ax", @progbits
    .balign 4
    .global tlm_dot_four_int4
    .type tlm_dot_four_int4, @function
    .begin no-transform
tlm_dot_four_int4:
    ENTER
    _slli a7, a7, 4
    _add a7, a7, a6
    _s32i a7, sp, 0                 /* where sums end */
    _beqz a4, 6f
    _srli a13, a4, 1                /* groups by twos */
    _or a13, a13, a13               /* places the loop */
0:  _movi a14, 12                   /* how many bits of a half are left of the next sum */
    _movi a8, 0
    CLEAR_SUM 8
    _addi a10, a2, -4
    _addi a11, a3, -4
    LOAD 0, 10
    LOAD 2, 11
    _addi a9, a4, -1
    LOOP_IF_ANY 9, 1f               /* t0: m0, m1 weights, m2, m3 inputs */
    MULA_DD_LOAD LOW, 1, 10, 0, 2
    MULA_DD_LOAD HIGH, 3, 11, 0, 2
    MULA_DD_LOAD LOW, 0, 10, 1, 3
    MULA_DD_LOAD HIGH, 2, 11, 1, 3
1:  MULA_DD_LOAD LOW, 1, 10, 0, 2   /* the last group loads nothing behind it */
    MULA_DD_LOAD HIGH, 3, 11, 0, 2
    MULA_DD LOW, 1, 3
    MULA_DD HIGH, 1, 3
    READ_SUM 12
    _movi a15, 0                    /* the fourth row has no offset */
    _addi a6, a6, 12
    _movi a7, -1
    _extui a7, a7, 0, 12
    _slli a8, a7, 16
    _or a7, a7, a8                  /* 0x0FFF0FFF */
    _or a7, a7, a7                  /* places the loop */

2:  _mov a10, a2
    _addi a11, a3, -4
    LOAD 0, 11
    _movi a8, 0
    CLEAR_SUM 8
    _bbci a4, 0, 3f
    GROUP 0
    _addi a10, a10, 8
3:  LOOP_IF_ANY 13, 4f
    GROUP 0
    GROUP 8
    _addi a10, a10, 16
4:  READ_SUM 8
    _sub a9, a12, a8                /* what the row that is gone made of the sum before */
    _ssr a14
    _sra a9, a9
    _sub a9, a9, a15
    _s32i a9, a6, 0
    _mov a12, a8
    _mov a15, a5
    _addi a6, a6, -4
    _srli a8, a7, 4
    _and a7, a7, a8                 /* 0x00FF00FF, 0x000F000F */
    _addi a14, a14, -4
    _bnez a14, 2b
    _sub a12, a12, a5
    _s32i a12, a6, 0
    _l32i a7, sp, 0
    _addi a6, a6, 16
    _mov a2, a10
    _beq a6, a7, 5f
    _j 0b

5:  LEAVE
6:  _s32i a4, a6, 0                 /* no inputs: zeros */
    _addi a6, a6, 4
    _bne a6, a7, 6b
    _j 5b
    .end no-transform
    .size tlm_dot_four_int4, . - tlm_dot_four_int4
