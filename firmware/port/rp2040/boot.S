/* The first 256 bytes of the flash, of which the RP2040's boot ROM checks the CRC, copies them to the top of RAM and calls
 * them: they let the chip read the flash as memory (XIP), then start the image behind them. Registers: RP2040 data sheet,
 * sections 2.8.1 (boot), 2.19.6 (pads) and 4.10 (SSI). Commands: Winbond's W25Q16JV data sheet, which other makers' chips follow.
 *
 * Reads are 6Bh: command and address on one wire, 8 clocks of pause, data on four wires, 62.5 MHz when the chip runs at 125.
 * Four wires need the bit QE of status register 2, which the Pico's W25Q16JVUXIQ has set when it is made; elsewhere it is set
 * until power goes. A chip that does not take it is read by 03h, on one wire. No mode outlives a reset.
 *
 * The last word is the CRC-32 of the 252 bytes before it (polynomial 04C11DB7, from all ones, nothing reflected or inverted):
 * tinylm/image.py holds it against them and says the right one.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot, "ax", %progbits

    /* SSI registers from 0x18000000, the two far ones from 0x180000F0. */
    .equ CTRLR0, 0x00
    .equ CTRLR1, 0x04
    .equ SSIENR, 0x08
    .equ SER, 0x10
    .equ BAUDR, 0x14
    .equ SR, 0x28
    .equ DR0, 0x60
    .equ SPI_CTRLR0, 0xF4 - 0xF0
    .equ RX_SAMPLE_DLY, 0

    /* Pads of the flash, from 0x40020000. */
    .equ PAD_SCLK, 0x04
    .equ PAD_SD0, 0x08
    .equ SCHMITT, 2

    .equ BUSY, 1 << 0
    .equ TX_EMPTY, 1 << 2
    .equ QUAD_ENABLE, 2

tlm_boot:
    ldr r3, pads
    movs r0, #0x21                  /* clock: 8 mA, fast */
    str r0, [r3, #PAD_SCLK]
    ldr r0, [r3, #PAD_SD0]
    movs r1, #SCHMITT               /* data: no Schmitt trigger, whose delay 62.5 MHz would not bear */
    bics r0, r1
    str r0, [r3, #PAD_SD0]
    str r0, [r3, #PAD_SD0 + 4]
    str r0, [r3, #PAD_SD0 + 8]
    str r0, [r3, #PAD_SD0 + 12]
    ldr r3, base
    movs r0, #0
    str r0, [r3, #SSIENR]
    movs r1, #2
    str r1, [r3, #BAUDR]
    ldr r4, far
    movs r1, #1                     /* a sample half a clock late, for 62.5 MHz */
    str r1, [r4, #RX_SAMPLE_DLY]
    ldr r1, plain_8                 /* 8 bits out and in */
    str r1, [r3, #CTRLR0]
    movs r1, #1
    str r1, [r3, #SER]
    str r1, [r3, #SSIENR]

    bl read_status_2
    movs r1, #QUAD_ENABLE
    tst r0, r1
    bne quad
    mov r5, r0
    movs r0, #0x50                  /* the next write of a status is until power goes */
    bl send
    movs r0, #0x31
    str r0, [r3, #DR0]
    movs r0, #QUAD_ENABLE
    orrs r0, r5
    bl send                         /* both bytes while the chip is selected */
    ldr r0, [r3, #DR0]
    bl read_status_2
    movs r1, #QUAD_ENABLE
    tst r0, r1
    beq single
quad:
    ldr r1, quad_32
    ldr r2, read_6b
    b enter
single:
    movs r0, #0
    str r0, [r3, #SSIENR]
    movs r1, #4                     /* 03h bears 50 MHz */
    str r1, [r3, #BAUDR]
    ldr r1, single_32
    ldr r2, read_03
enter:
    movs r0, #0
    str r0, [r3, #SSIENR]
    str r1, [r3, #CTRLR0]
    str r0, [r3, #CTRLR1]           /* one word a read */
    str r2, [r4, #SPI_CTRLR0]
    movs r0, #1
    str r0, [r3, #SSIENR]

    ldr r0, vectors
    ldr r1, vector_register
    str r0, [r1]
    ldmia r0!, {r1, r2}
    mov sp, r1
    bx r2

/* r0: status register 2. */
read_status_2:
    push {lr}
    movs r0, #0x35
    str r0, [r3, #DR0]
    bl send
    ldr r0, [r3, #DR0]
    pop {pc}

/* Sends the byte r0 and waits for the end; r0: the first byte that came in. */
send:
    str r0, [r3, #DR0]
1:  ldr r0, [r3, #SR]
    movs r1, #TX_EMPTY
    tst r0, r1
    beq 1b
    movs r1, #BUSY
    tst r0, r1
    bne 1b
    ldr r0, [r3, #DR0]
    bx lr

    .balign 4
pads:            .word 0x40020000
base:            .word 0x18000000
far:             .word 0x180000F0
plain_8:         .word 7 << 16
quad_32:         .word 2 << 21 | 31 << 16 | 3 << 8    /* data on four wires, 32 bits, command and address then data */
single_32:       .word 31 << 16 | 3 << 8
read_6b:         .word 0x6B << 24 | 8 << 11 | 2 << 8 | 6 << 2
read_03:         .word 0x03 << 24 | 2 << 8 | 6 << 2
vectors:         .word 0x10000100
vector_register: .word 0xE000ED08

    .org 252, 0
    .word 0xFF9D1E1C
