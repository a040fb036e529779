/* The instructions of an ESP8266's core (Xtensa LX106, call0 ABI), from the Xtensa ISA reference. Knows no memory and no chip: whoever
 * includes this gives fetch, load, store and `stop`. No interrupts, no exceptions, no cache. */
#ifndef TLM_LX106_H
#define TLM_LX106_H

#include <stdint.h>

static struct {
    uint32_t a[16], pc, special[256];
    uint64_t executed;
} cpu;

enum { SAR = 3, PS = 230, CCOUNT = 234 };

static uint32_t fetch(uint32_t address);                     /* three bytes, or two of a short instruction */
static uint32_t load(uint32_t address, uint32_t bytes);
static void store(uint32_t address, uint32_t bytes, uint32_t value);
static _Noreturn void stop(const char *why, uint32_t value);

static uint32_t bits(uint32_t word, unsigned at, unsigned count)
{
    return word >> at & ((1U << count) - 1);
}

static uint32_t extend(uint32_t value, unsigned from)
{
    return (uint32_t)((int32_t)(value << (32 - from)) >> (32 - from));
}

static uint32_t asr(uint32_t value, uint32_t by)
{
    return (uint32_t)((int32_t)value >> (by > 31 ? 31 : by));
}

/* The low half of (high, low) >> by, by < 64. */
static uint32_t funnel(uint32_t high, uint32_t low, uint32_t by)
{
    return (uint32_t)(((uint64_t)high << 32 | low) >> by);
}

static _Noreturn void unknown(uint32_t word)
{
    stop("no instruction of this core", word);
}

static uint32_t read_special(uint32_t number)
{
    return number == CCOUNT ? (uint32_t)cpu.executed : cpu.special[number];
}

static void write_special(uint32_t number, uint32_t value)
{
    cpu.special[number] = number == SAR ? value & 63 : value;
}

static uint32_t leading_zeros(uint32_t value)
{
    return value == 0 ? 32 : (uint32_t)__builtin_clz(value);
}

/* ST0: returns, jumps to registers, barriers. Returns where the program goes on. */
static uint32_t run_st0(uint32_t word, uint32_t next)
{
    const uint32_t t = bits(word, 4, 4), s = bits(word, 8, 4), r = bits(word, 12, 4);
    if (r == 0 && t == 8) {        /* ret */
        return cpu.a[0];
    }
    if (r == 0 && t == 10) {       /* jx */
        return cpu.a[s];
    }
    if (r == 0 && t == 12) {       /* callx0 */
        const uint32_t to = cpu.a[s];
        cpu.a[0] = next;
        return to;
    }
    if (r == 6) {                  /* rsil */
        cpu.a[t] = cpu.special[PS];
        cpu.special[PS] = (cpu.special[PS] & ~15U) | s;
    } else if (r != 2) {           /* 2: isync, rsync, esync, dsync, memw, extw, nop */
        unknown(word);
    }
    return next;
}

static void set_shift(uint32_t word, uint32_t s, uint32_t t, uint32_t r)
{
    const uint32_t value = cpu.a[s];
    switch (r) {
    case 0: cpu.special[SAR] = value & 31; break;            /* ssr */
    case 1: cpu.special[SAR] = 32 - (value & 31); break;     /* ssl */
    case 2: cpu.special[SAR] = (value & 3) * 8; break;       /* ssa8l */
    case 3: cpu.special[SAR] = 32 - (value & 3) * 8; break;  /* ssa8b */
    case 4: cpu.special[SAR] = s | (t & 1) << 4; break;      /* ssai */
    case 14: cpu.a[t] = leading_zeros(value ^ asr(value, 31)) - 1; break; /* nsa */
    case 15: cpu.a[t] = leading_zeros(value); break;         /* nsau */
    default: unknown(word);
    }
}

static void run_rst0(uint32_t word, uint32_t s, uint32_t t, uint32_t r, uint32_t op2)
{
    const uint32_t x = cpu.a[s], y = cpu.a[t];
    switch (op2) {
    case 1: cpu.a[r] = x & y; break;
    case 2: cpu.a[r] = x | y; break;
    case 3: cpu.a[r] = x ^ y; break;
    case 4: set_shift(word, s, t, r); break;
    case 6:
        if (s > 1) {
            unknown(word);
        }
        cpu.a[r] = s == 0 || y >> 31 != 0 ? 0U - y : y;      /* neg, abs */
        break;
    case 8: case 9: case 10: case 11: cpu.a[r] = (x << (op2 & 3)) + y; break;
    case 12: case 13: case 14: case 15: cpu.a[r] = (x << (op2 & 3)) - y; break;
    default: unknown(word);
    }
}

static void run_rst1(uint32_t word, uint32_t s, uint32_t t, uint32_t r, uint32_t op2)
{
    const uint32_t x = cpu.a[s], y = cpu.a[t], sar = cpu.special[SAR];
    switch (op2) {
    case 0: case 1: cpu.a[r] = funnel(x, 0, t | (op2 & 1) << 4); break;  /* slli: 32 less the shift */
    case 2: case 3: cpu.a[r] = asr(y, s | (op2 & 1) << 4); break;
    case 4: cpu.a[r] = y >> s; break;
    case 6: {                                                            /* xsr */
        const uint32_t number = bits(word, 8, 8), old = read_special(number);
        write_special(number, y);
        cpu.a[t] = old;
        break;
    }
    case 8: cpu.a[r] = funnel(x, y, sar); break;
    case 9: cpu.a[r] = funnel(0, y, sar); break;
    case 10: cpu.a[r] = funnel(x, 0, sar); break;
    case 11: cpu.a[r] = asr(y, sar); break;
    case 12: cpu.a[r] = (x & 0xFFFF) * (y & 0xFFFF); break;
    case 13: cpu.a[r] = extend(x, 16) * extend(y, 16); break;
    default: unknown(word);
    }
}

static void run_rst3(uint32_t word, uint32_t s, uint32_t t, uint32_t r, uint32_t op2)
{
    const uint32_t y = cpu.a[t], number = bits(word, 8, 8);
    const int holds[] = {y == 0, y != 0, y >> 31 != 0, y >> 31 == 0};    /* moveqz, movnez, movltz, movgez */
    if (op2 == 0) {
        cpu.a[t] = read_special(number);
    } else if (op2 == 1) {
        write_special(number, y);
    } else if (op2 < 8 || op2 > 11) {
        unknown(word);
    } else if (holds[op2 - 8]) {
        cpu.a[r] = cpu.a[s];
    }
}

static uint32_t run_registers(uint32_t word, uint32_t next)
{
    const uint32_t t = bits(word, 4, 4), s = bits(word, 8, 4), r = bits(word, 12, 4);
    const uint32_t op1 = bits(word, 16, 4), op2 = bits(word, 20, 4);
    switch (op1) {
    case 0:
        if (op2 == 0) {
            return run_st0(word, next);
        }
        run_rst0(word, s, t, r, op2);
        break;
    case 1: run_rst1(word, s, t, r, op2); break;
    case 2:
        if (op2 != 8) {
            unknown(word);
        }
        cpu.a[r] = cpu.a[s] * cpu.a[t];                                  /* mull */
        break;
    case 3: run_rst3(word, s, t, r, op2); break;
    case 4: case 5: cpu.a[r] = cpu.a[t] >> (s | (op1 & 1) << 4) & ((2U << op2) - 1); break; /* extui */
    default: unknown(word);
    }
    return next;
}

/* Loads, stores, and what has eight bits in the instruction. */
static void run_immediate(uint32_t word)
{
    const uint32_t t = bits(word, 4, 4), s = bits(word, 8, 4), r = bits(word, 12, 4), imm = bits(word, 16, 8);
    const uint32_t base = cpu.a[s];
    switch (r) {
    case 0: cpu.a[t] = load(base + imm, 1); break;
    case 1: cpu.a[t] = load(base + imm * 2, 2); break;
    case 2: cpu.a[t] = load(base + imm * 4, 4); break;
    case 4: store(base + imm, 1, cpu.a[t]); break;
    case 5: store(base + imm * 2, 2, cpu.a[t]); break;
    case 6: store(base + imm * 4, 4, cpu.a[t]); break;
    case 9: cpu.a[t] = extend(load(base + imm * 2, 2), 16); break;
    case 10: cpu.a[t] = extend(s << 8 | imm, 12); break;                 /* movi */
    case 12: cpu.a[t] = base + extend(imm, 8); break;
    case 13: cpu.a[t] = base + (extend(imm, 8) << 8); break;
    default: unknown(word);
    }
}

static const uint32_t constants[] = {0xFFFFFFFFU, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256};

static int less(uint32_t x, uint32_t y)
{
    return (int32_t)x < (int32_t)y;
}

/* SI: jumps, and branches that compare with zero or a constant. */
static uint32_t run_si(uint32_t word, uint32_t next)
{
    const uint32_t n = bits(word, 4, 2), m = bits(word, 6, 2), s = bits(word, 8, 4), r = bits(word, 12, 4);
    const uint32_t x = cpu.a[s], origin = cpu.pc + 4, constant = constants[r];
    const uint32_t positive = r == 0 ? 32768 : r == 1 ? 65536 : constant;
    int taken;
    if (n == 0) {
        return origin + extend(bits(word, 6, 18), 18);                   /* j */
    }
    if (n == 1) {
        taken = m == 0 ? x == 0 : m == 1 ? x != 0 : m == 2 ? less(x, 0) : !less(x, 0);
        return taken ? origin + extend(bits(word, 12, 12), 12) : next;
    }
    if (n == 2) {
        taken = m == 0 ? x == constant : m == 1 ? x != constant : m == 2 ? less(x, constant) : !less(x, constant);
    } else if (m >= 2) {
        taken = m == 2 ? x < positive : x >= positive;
    } else {
        unknown(word);                                                   /* entry, loops, booleans */
    }
    return taken ? origin + extend(bits(word, 16, 8), 8) : next;
}

static uint32_t run_branch(uint32_t word, uint32_t next)
{
    const uint32_t t = bits(word, 4, 4), s = bits(word, 8, 4), r = bits(word, 12, 4);
    const uint32_t x = cpu.a[s], y = cpu.a[t];
    int holds = 0;
    switch (r & 7) {                                                     /* r + 8 is the opposite */
    case 0: holds = (x & y) == 0; break;
    case 1: holds = x == y; break;
    case 2: holds = less(x, y); break;
    case 3: holds = x < y; break;
    case 4: holds = (~x & y) == 0; break;
    case 5: holds = (x >> (y & 31) & 1) == 0; break;
    default: holds = (x >> (t | (r & 1) << 4) & 1) == 0; break;
    }
    return holds != (int)(r >> 3) ? cpu.pc + 4 + extend(bits(word, 16, 8), 8) : next;
}

/* Instructions of two bytes. */
static uint32_t run_short(uint32_t word, uint32_t next)
{
    const uint32_t t = bits(word, 4, 4), s = bits(word, 8, 4), r = bits(word, 12, 4);
    switch (word & 15) {
    case 8: cpu.a[t] = load(cpu.a[s] + r * 4, 4); break;
    case 9: store(cpu.a[s] + r * 4, 4, cpu.a[t]); break;
    case 10: cpu.a[r] = cpu.a[s] + cpu.a[t]; break;
    case 11: cpu.a[r] = cpu.a[s] + (t == 0 ? 0xFFFFFFFFU : t); break;
    case 12: {
        const uint32_t value = (t & 7) << 4 | r;
        if (t < 8) {
            cpu.a[s] = value >= 96 ? value - 128 : value;                /* movi.n: -32..95 */
        } else if ((cpu.a[s] == 0) == (t < 12)) {                        /* beqz.n, bnez.n */
            return cpu.pc + 4 + ((t & 3) << 4 | r);
        }
        break;
    }
    default:
        if (r == 0) {
            cpu.a[t] = cpu.a[s];
        } else if (r == 15 && t == 0) {
            return cpu.a[0];
        } else if (r != 15 || t != 3) {                                  /* 3: nop.n */
            unknown(word);
        }
    }
    return next;
}

/* One instruction. */
static void step(void)
{
    const uint32_t word = fetch(cpu.pc);
    uint32_t next = cpu.pc + 3;
    cpu.executed++;
    switch (word & 15) {
    case 0: next = run_registers(word, next); break;
    case 1:                                                              /* l32r */
        cpu.a[bits(word, 4, 4)] = load((next & ~3U) + (0xFFFC0000U | bits(word, 8, 16) << 2), 4);
        break;
    case 2: run_immediate(word); break;
    case 5: {
        const uint32_t to = (cpu.pc & ~3U) + (extend(bits(word, 6, 18), 18) << 2) + 4;
        if (bits(word, 4, 2) != 0) {
            unknown(word);
        }
        cpu.a[0] = next;                                                 /* call0 */
        next = to;
        break;
    }
    case 6: next = run_si(word, next); break;
    case 7: next = run_branch(word, next); break;
    case 8: case 9: case 10: case 11: case 12: case 13: next = run_short(word, cpu.pc + 2); break;
    default: unknown(word);
    }
    cpu.pc = next;
}

#endif
