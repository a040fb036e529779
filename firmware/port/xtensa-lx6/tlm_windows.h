/* Register windows, which a boot ROM leaves on and this firmware does not use (call0 ABI). a2 is 0, and changed. The assembler knows
 * the ESP8266's core, which has none: their registers are written as bytes. */
#ifndef TLM_WINDOWS_H
#define TLM_WINDOWS_H

    .macro LEAVE_WINDOWS
    .byte 0x20, 0x48, 0x13          /* wsr.windowbase a2 */
    rsync                           /* other registers have the names now */
    movi a2, 1
    .byte 0x20, 0x49, 0x13          /* wsr.windowstart a2 */
    rsync
    .endm

#endif
