/* An ESP8266 that runs a flash image, with UART0 on a TCP port of 127.0.0.1: esp8266_machine IMAGE BAUD. Prints the port.
 *
 * Stricter than the chip, which answers a mistake with an exception that nobody sees: IRAM, mapped flash and registers are reached
 * by whole aligned words alone, flash only once the ROM was asked to map it, the watchdog must be off, the serial line's rate
 * right. Of the boot ROM it has the loader and the functions below. No cache, no timing: CCOUNT counts instructions. */
#include <string.h>

#include "lx106.h"
#include "tcp_line.h"

enum { DRAM = 0x3FFE8000, DRAM_BYTES = 0x18000, ROM_DATA = 0x3FFFC000, IRAM = 0x40100000, IRAM_BYTES = 0x8000 };
enum { FLASH = 0x40200000, FLASH_BYTES = 0x100000, ROM = 0x40000000, ROM_BYTES = 0x10000 };
enum { UART_FIFO = 0x60000000, UART_DIVIDER = 0x60000014, UART_STATUS = 0x6000001C, WATCHDOG = 0x60000900 };
enum { REGISTERS = 0x60000000, REGISTER_BYTES = 0x1400, PORT = 0x3FF00000, PORT_BYTES = 0x1000 };
enum { MAP_FLASH = 0x40004678, WRITE_ANALOG = 0x400072D8 }; /* Cache_Read_Enable, rom_i2c_writeReg */
enum { FIFO_BYTES = 128, SLICE = 4096, IMAGE_MAGIC = 0xE9, CHECKSUM_SEED = 0xEF };
/* The ROM takes the crystal for one of 40 MHz; it has 26, and what should be 80 MHz is 52 until the PLL is told. */
static const uint32_t rom_hertz = 52000000, pll_hertz = 80000000;
static const uint64_t watchdog_bites = 100000000; /* instructions: some two seconds */

static uint8_t dram[DRAM_BYTES], iram[IRAM_BYTES + 4], flash[FLASH_BYTES + 4];
static uint32_t registers[REGISTER_BYTES / 4], port[PORT_BYTES / 4];
static uint8_t analog[256];
static int is_mapped, looks;
static uint32_t baud, lowest_stack = 0xFFFFFFFFU;

static _Noreturn void stop(const char *why, uint32_t value)
{
    flush_output();
    fprintf(stderr, "the emulated CPU stopped at %#x: %s (%#x)\n", cpu.pc, why, value);
    exit(1);
}

static void tell_stack(void)
{
    fprintf(stderr, "the stack reached down to %#x\n", lowest_stack);
}

static int in(uint32_t address, uint32_t origin, uint32_t bytes)
{
    return address - origin < bytes;
}

/* Where an address lies in one of the memories, NULL: in none. */
static uint8_t *find(uint32_t address)
{
    if (in(address, DRAM, DRAM_BYTES)) {
        return dram + (address - DRAM);
    }
    if (in(address, IRAM, IRAM_BYTES)) {
        return iram + (address - IRAM);
    }
    if (in(address, FLASH, FLASH_BYTES)) {
        if (!is_mapped) {
            stop("flash is not mapped yet", address);
        }
        return flash + (address - FLASH);
    }
    return NULL;
}

static void require_aligned(uint32_t address, uint32_t bytes)
{
    if (address % bytes != 0) {
        stop("an access that is not aligned", address);
    }
    if (bytes != 4 && !in(address, DRAM, DRAM_BYTES)) {
        stop("bytes are reached in data RAM alone", address);
    }
}

static uint32_t fetch(uint32_t address)
{
    uint32_t word = 0;
    const uint8_t *const at = find(address);
    if (at == NULL || in(address, DRAM, DRAM_BYTES)) {
        stop("no code can lie there", address);
    }
    memcpy(&word, at, address % 4 == 0 ? 4 : 3);
    return (word & 15) >= 8 ? word & 0xFFFF : word & 0xFFFFFF;
}

/* Who looks twice in a row for a byte that is not there only waits: then so does this process. */
static uint32_t uart_status(void)
{
    if (!has_input()) {
        attend(looks++ == 0 ? 0 : -1);
    }
    const size_t waiting = line.in_end - line.in_at;
    return waiting > FIFO_BYTES ? FIFO_BYTES : (uint32_t)waiting;
}

static uint32_t take_byte(void)
{
    looks = 0;
    return has_input() ? line.in[line.in_at++] : 0;
}

static void give_byte(uint8_t byte)
{
    const uint32_t hertz = analog[1] == 0x88 && analog[2] == 0x91 ? pll_hertz : rom_hertz;
    const uint32_t divider = registers[(UART_DIVIDER - REGISTERS) / 4], rate = divider == 0 ? 0 : hertz / divider;
    if (rate > baud + baud / 100 || rate < baud - baud / 100) {
        stop("the serial line has another rate", rate);
    }
    looks = 0;
    send_byte(byte);
}

static uint32_t load(uint32_t address, uint32_t bytes)
{
    uint32_t value = 0;
    require_aligned(address, bytes);
    const uint8_t *const at = find(address);
    if (at != NULL) {
        memcpy(&value, at, bytes);
        return value;
    }
    if (address == UART_FIFO) {
        return take_byte();
    }
    if (address == UART_STATUS) {
        return uart_status();
    }
    if (in(address, REGISTERS, REGISTER_BYTES)) {
        return registers[(address - REGISTERS) / 4];
    }
    if (!in(address, PORT, PORT_BYTES)) {
        stop("nothing to read is there", address);
    }
    return port[(address - PORT) / 4];
}

static void store(uint32_t address, uint32_t bytes, uint32_t value)
{
    require_aligned(address, bytes);
    uint8_t *const at = in(address, FLASH, FLASH_BYTES) ? NULL : find(address);
    if (at != NULL) {
        memcpy(at, &value, bytes);
    } else if (address == UART_FIFO) {
        give_byte((uint8_t)value);
    } else if (in(address, REGISTERS, REGISTER_BYTES)) {
        registers[(address - REGISTERS) / 4] = value;
    } else if (in(address, PORT, PORT_BYTES)) {
        port[(address - PORT) / 4] = value;
    } else {
        stop("nothing to write is there", address);
    }
}

/* A function of the ROM, called with the ABI of our code: it may change a2 to a11. */
static void call_rom(void)
{
    const uint32_t *const arguments = cpu.a + 2;
    if (cpu.pc == MAP_FLASH && arguments[0] == 0 && arguments[1] == 0 && arguments[2] == 1) {
        is_mapped = 1; /* the first MB, by 32 KB of cache: what is left of IRAM is IRAM_BYTES */
    } else if (cpu.pc == WRITE_ANALOG && arguments[0] == 103 && arguments[1] == 4) {
        analog[arguments[2] & 0xFF] = (uint8_t)arguments[3];
    } else {
        stop("this emulator has no such function of the boot ROM, or not with that argument", arguments[0]);
    }
    for (int i = 2; i < 12; i++) {
        cpu.a[i] = 0xDEAD0000U + (uint32_t)i;
    }
    cpu.pc = cpu.a[0];
}

static _Noreturn void refuse_image(const char *why)
{
    fprintf(stderr, "the boot ROM refuses the image: %s\n", why);
    exit(1);
}

static uint32_t word_at(size_t at)
{
    uint32_t word;
    if (at + 4 > FLASH_BYTES) {
        refuse_image("it has no end");
    }
    memcpy(&word, flash + at, 4);
    return word;
}

/* What the boot ROM does: segments from the start of the flash into RAM, a checksum, a jump. */
static void load_image(void)
{
    size_t at = 8;
    uint8_t sum = CHECKSUM_SEED;
    if (flash[0] != IMAGE_MAGIC) {
        refuse_image("it does not begin with E9");
    }
    for (int left = flash[1]; left > 0; left--) {
        const uint32_t to = word_at(at), bytes = word_at(at + 4);
        const int to_data = in(to, DRAM, ROM_DATA - DRAM) && bytes <= ROM_DATA - to;
        at += 8;
        if (!to_data && !(in(to, IRAM, IRAM_BYTES) && bytes <= IRAM + IRAM_BYTES - to)) {
            refuse_image("a segment does not lie in RAM that is free");
        }
        (void)word_at(at + bytes);
        memcpy(find(to), flash + at, bytes);
        for (uint32_t i = 0; i < bytes; i++) {
            sum ^= flash[at++];
        }
    }
    if (flash[at | 15] != sum) {
        refuse_image("its checksum is wrong");
    }
    cpu.pc = word_at(4);
}

int main(int argc, char **argv)
{
    FILE *const file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "IMAGE BAUD are needed\n");
        return 1;
    }
    memset(flash, 0xFF, sizeof flash);
    memset(dram, 0xA5, sizeof dram); /* RAM holds anything */
    memset(iram, 0xA5, sizeof iram);
    (void)fread(flash, 1, FLASH_BYTES, file);
    fclose(file);
    baud = (uint32_t)strtoul(argv[2], NULL, 10);
    load_image();
    registers[(UART_DIVIDER - REGISTERS) / 4] = 80000000 / 115200;
    registers[(WATCHDOG - REGISTERS) / 4] = 1;
    cpu.a[1] = ROM_DATA + 0x3F00;
    (void)atexit(tell_stack);
    listen_locally();
    attend(-1);
    for (;;) {
        for (int i = 0; i < SLICE; i++) {
            if (in(cpu.pc, ROM, ROM_BYTES)) {
                call_rom();
            } else {
                step();
                lowest_stack = cpu.a[1] < lowest_stack ? cpu.a[1] : lowest_stack;
            }
        }
        attend(0);
        if ((registers[(WATCHDOG - REGISTERS) / 4] & 1) != 0 && cpu.executed > watchdog_bites) {
            stop("the watchdog resets the chip", 0);
        }
    }
}
