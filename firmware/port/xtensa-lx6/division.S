/* Division, which Debian's library for this compiler leaves to the ROM of the ESP8266. The LX6 has instructions for it, written
 * as bytes because the assembler does not. */
    .macro DIVIDE name, kind
    .section .text.\name, "ax", @progbits
    .balign 4
    .global \name
    .type \name, @function
\name:
    .byte 0x30, 0x22, \kind         /* a2 = a2 \kind a3 */
    ret
    .size \name, . - \name
    .endm

    DIVIDE __udivsi3, 0xC2
    DIVIDE __divsi3, 0xD2
    DIVIDE __umodsi3, 0xE2
    DIVIDE __modsi3, 0xF2
