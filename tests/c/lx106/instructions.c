/* Runs the instructions of an LX106 on many operands and tells a hash of what each gives: "name=xxxxxxxx" and a line end. */
#include <stdint.h>

#include "tlm_port.h"

enum { PAIRS = 600 };

/* The corners, then anything. */
static uint32_t operand(uint32_t *seed)
{
    static const uint32_t corners[] = {0, 1, 0xFFFFFFFFUL, 0x80000000UL, 0x7FFFFFFFUL, 0xFFFFUL, 0x8000UL, 31, 32};
    *seed = *seed * 1664525UL + 1013904223UL;
    return (*seed >> 28) < 9 ? corners[*seed >> 28] : *seed ^ (*seed >> 13);
}

static uint32_t fold(uint32_t hash, uint32_t value)
{
    return (hash ^ value) * 16777619UL;
}

static void tell(const char *name, uint32_t hash)
{
    while (*name != '\0') {
        tlm_port_write((uint8_t)*name++);
    }
    tlm_port_write('=');
    for (int shift = 28; shift >= 0; shift -= 4) {
        tlm_port_write((uint8_t)"0123456789abcdef"[hash >> shift & 15]);
    }
    tlm_port_write('\n');
}

/* `z` begins as x + y, and the assembler text may change it. */
#define RUN(text)                                                                                       \
    do {                                                                                                \
        uint32_t seed = 7, hash = 2166136261UL;                                                         \
        for (int i = 0; i < PAIRS; i++) {                                                               \
            const uint32_t x = operand(&seed), y = operand(&seed);                                      \
            uint32_t z = x + y, w = y;                                                                  \
            __asm__ volatile(text : [z] "+&r"(z), [w] "+&r"(w) : [x] "r"(x), [y] "r"(y), [m] "r"(memory) : "memory"); \
            hash = fold(fold(hash, z), w);                                                              \
        }                                                                                               \
        tell(text, hash);                                                                               \
    } while (0)
#define TWO(name) RUN(name " %[z], %[x], %[y]")
#define ONE(name) RUN(name " %[z], %[x]")
#define BRANCH(test) RUN("movi %[z], 1; " test ", 1f; movi %[z], -5; 1:")

static void run_arithmetic(uint32_t *memory)
{
    TWO("add"); TWO("addx2"); TWO("addx4"); TWO("addx8"); TWO("sub"); TWO("subx2"); TWO("subx4"); TWO("subx8");
    TWO("and"); TWO("or"); TWO("xor"); TWO("mull"); TWO("mul16u"); TWO("mul16s"); TWO("add.n");
    TWO("moveqz"); TWO("movnez"); TWO("movltz"); TWO("movgez");
    ONE("neg"); ONE("abs"); ONE("nsa"); ONE("nsau"); ONE("mov.n");
    RUN("addi %[z], %[x], -128"); RUN("addi %[z], %[x], 127"); RUN("addmi %[z], %[x], -32768");
    RUN("addi.n %[z], %[x], -1"); RUN("addi.n %[z], %[x], 15"); RUN("movi %[z], -2048"); RUN("movi %[z], 2047");
    RUN("movi.n %[z], -32"); RUN("movi.n %[z], 95"); RUN("movi.n %[z], 63");
}

static void run_shifts(uint32_t *memory)
{
    RUN("slli %[z], %[x], 1"); RUN("slli %[z], %[x], 16"); RUN("slli %[z], %[x], 31");
    RUN("srli %[z], %[x], 0"); RUN("srli %[z], %[x], 15"); RUN("srai %[z], %[x], 1"); RUN("srai %[z], %[x], 31");
    RUN("extui %[z], %[x], 0, 16"); RUN("extui %[z], %[x], 31, 1"); RUN("extui %[z], %[x], 17, 7");
    RUN("ssl %[y]; sll %[z], %[x]"); RUN("ssr %[y]; srl %[z], %[x]"); RUN("ssr %[y]; sra %[z], %[x]");
    RUN("ssl %[y]; src %[z], %[x], %[w]");
    RUN("ssr %[y]; src %[z], %[x], %[w]"); RUN("ssa8l %[y]; src %[z], %[x], %[w]"); RUN("ssai 21; src %[z], %[x], %[w]");
    RUN("ssai 5; rsr.sar %[z]"); RUN("ssl %[x]; xsr.sar %[w]; rsr.sar %[z]");
}

static void run_branches(uint32_t *memory)
{
    BRANCH("beq %[x], %[y]"); BRANCH("bne %[x], %[y]"); BRANCH("blt %[x], %[y]"); BRANCH("bltu %[x], %[y]");
    BRANCH("bge %[x], %[y]"); BRANCH("bgeu %[x], %[y]"); BRANCH("bnone %[x], %[y]"); BRANCH("bany %[x], %[y]");
    BRANCH("ball %[x], %[y]"); BRANCH("bnall %[x], %[y]"); BRANCH("bbc %[x], %[y]"); BRANCH("bbs %[x], %[y]");
    BRANCH("bbci %[x], 3"); BRANCH("bbci %[x], 29"); BRANCH("bbsi %[x], 3"); BRANCH("bbsi %[x], 29");
    BRANCH("beqz %[x]"); BRANCH("bnez %[x]"); BRANCH("bltz %[x]"); BRANCH("bgez %[x]");
    BRANCH("beqz.n %[x]"); BRANCH("bnez.n %[x]"); BRANCH("beqi %[x], -1"); BRANCH("bnei %[x], 1");
    BRANCH("blti %[x], 256"); BRANCH("blti %[x], -1"); BRANCH("bgei %[x], 10"); BRANCH("bltui %[x], 32768");
    BRANCH("bltui %[x], 65536"); BRANCH("bgeui %[x], 32768"); BRANCH("bgeui %[x], 2");
    RUN("movi %[z], 1; j 1f; movi %[z], 2; 1:");
    RUN("movi %[z], 1f; jx %[z]; movi %[z], 2; 1: movi %[z], 3");
}

static void run_memory(uint32_t *memory)
{
    RUN("s32i %[x], %[m], 8; l32i %[z], %[m], 8"); RUN("s32i.n %[x], %[m], 60; l32i.n %[z], %[m], 60");
    RUN("s32i %[x], %[m], 8; s8i %[y], %[m], 9; l32i %[z], %[m], 8; l8ui %[w], %[m], 11");
    RUN("s32i %[x], %[m], 8; s16i %[y], %[m], 10; l16si %[z], %[m], 8; l16ui %[w], %[m], 8");
    RUN("s32i %[x], %[m], 16; l16si %[z], %[m], 18");
}

int main(void)
{
    static uint32_t memory[256];
    tlm_port_init();
    (void)tlm_port_read();
    run_arithmetic(memory);
    run_shifts(memory);
    run_branches(memory);
    run_memory(memory);
    tlm_port_write('!');
    for (;;) {
    }
}
