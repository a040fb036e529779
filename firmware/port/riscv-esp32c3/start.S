/* Direct boot: the ROM finds the two magic words at the start of flash, maps it and jumps to the word after them. */
    .section .magic, "ax"
    .global tlm_start
    .type tlm_start, @function
    .word 0xAEDB041D
    .word 0xAEDB041D
tlm_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, tlm_stack_top

/* Hot code and .data lie one after the other in flash as in RAM: one loop copies both. */
    la a0, tlm_data_load
    la a1, tlm_ram_start
    la a2, tlm_data_end
1:  bgeu a1, a2, 2f
    lw a3, 0(a0)
    sw a3, 0(a1)
    addi a0, a0, 4
    addi a1, a1, 4
    j 1b

2:  la a1, tlm_bss_start
    la a2, tlm_bss_end
3:  bgeu a1, a2, 4f
    sw zero, 0(a1)
    addi a1, a1, 4
    j 3b

/* Far: main may be more than 1 MB away. A trap or the end of main stops where a debugger sees it. */
4:  call main
5:  j 5b
    .size tlm_start, . - tlm_start
