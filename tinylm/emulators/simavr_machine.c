/* An AVR in simavr with its USART0 on a TCP port of 127.0.0.1: simavr_machine LIBRARY CORE HERTZ ELF.
 * Prints the port; ends when standard input does. Declares what it needs of libsimavr 1.x itself: no headers needed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "tcp_line.h"

typedef struct avr_t avr_t;
typedef struct avr_irq_t avr_irq_t;
typedef void (*notify_t)(avr_irq_t *irq, uint32_t value, void *param);

/* The start of simavr's elf_firmware_t, which has read this way since 1.0; the rest is the library's. */
typedef struct {
    char core[64];
    uint32_t hertz;
    uint8_t rest[64 * 1024];
} firmware_t;

enum { INPUT = 0, OUTPUT = 1, OUT_XON = 2, OUT_XOFF = 3 };       /* lines of a simavr UART */
enum { UART0_LINES = 0x75617230, UART0_FLAGS = 0x75617330 };     /* 'u' 'a' 'r' '0', 'u' 'a' 's' '0' */
enum { INSTRUCTIONS = 2000, IDLE_NAPS = 100, BOOT_INSTRUCTIONS = 200000 };
enum { GPIOR0 = 0x3E };                                           /* in data space, of every AVR of an Arduino */
enum { RUNNING = 2, SLEEPING = 3, DONE = 6, CRASHED = 7 };        /* what avr_run returns */

static int may_send; /* the USART's input has room; at first: the firmware has had the time to switch it on */

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "libsimavr has no %s\n", name);
        exit(1);
    }
    return found;
}

static void on_xon(avr_irq_t *irq, uint32_t value, void *param) { (void)irq, (void)value, (void)param, may_send = 1; }

static void on_xoff(avr_irq_t *irq, uint32_t value, void *param) { (void)irq, (void)value, (void)param, may_send = 0; }

/* Counting (firmware/count/simavr): a byte written to GPIOR0 names an interval and begins it, zero ends it. A cycle timer
 * is the library's way to tell the time: its `when` is the present cycle and a constant. */
typedef uint64_t (*cycle_timer_t)(avr_t *avr, uint64_t when, void *param);
static struct {
    void (*call)(avr_t *avr, uint64_t cycles, cycle_timer_t timer, void *param);
    uint64_t begun;
    uint8_t what;
} count;

static uint64_t on_begin(avr_t *avr, uint64_t when, void *param)
{
    (void)avr, (void)param;
    count.begun = when;
    return 0;
}

static uint64_t on_end(avr_t *avr, uint64_t when, void *param)
{
    char told[16];
    (void)avr, (void)param;
    const int size = snprintf(told, sizeof told, "%c(%08x)", count.what, (unsigned)(when - count.begun));
    if (line.out_end + (size_t)size < BUFFER_BYTES) {
        memcpy(line.out + line.out_end, told, (size_t)size);
        line.out_end += (size_t)size;
    }
    return 0;
}

static void on_mark(avr_t *avr, uint16_t address, uint8_t value, void *param)
{
    (void)address, (void)param;
    count.what = value != 0 ? value : count.what;
    count.call(avr, 1, value != 0 ? on_begin : on_end, NULL);
}

static void on_output(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    send_byte((uint8_t)value);
}

int main(int argc, char **argv)
{
    static firmware_t firmware;
    void *library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", argc == 5 ? dlerror() : "LIBRARY CORE HERTZ ELF are needed");
        return 1;
    }
    avr_t *(*make)(const char *) = (avr_t * (*)(const char *)) symbol(library, "avr_make_mcu_by_name");
    int (*init)(avr_t *) = (int (*)(avr_t *))symbol(library, "avr_init");
    int (*read_elf)(const char *, firmware_t *) = (int (*)(const char *, firmware_t *))symbol(library, "elf_read_firmware");
    void (*load)(avr_t *, firmware_t *) = (void (*)(avr_t *, firmware_t *))symbol(library, "avr_load_firmware");
    int (*run)(avr_t *) = (int (*)(avr_t *))symbol(library, "avr_run");
    int (*control)(avr_t *, uint32_t, void *) = (int (*)(avr_t *, uint32_t, void *))symbol(library, "avr_ioctl");
    avr_irq_t *(*get_line)(avr_t *, uint32_t, int) =
        (avr_irq_t * (*)(avr_t *, uint32_t, int)) symbol(library, "avr_io_getirq");
    void (*notify)(avr_irq_t *, notify_t, void *) =
        (void (*)(avr_irq_t *, notify_t, void *))symbol(library, "avr_irq_register_notify");
    void (*raise_line)(avr_irq_t *, uint32_t) = (void (*)(avr_irq_t *, uint32_t))symbol(library, "avr_raise_irq");

    void (*watch)(avr_t *, uint16_t, void (*)(avr_t *, uint16_t, uint8_t, void *), void *) =
        (void (*)(avr_t *, uint16_t, void (*)(avr_t *, uint16_t, uint8_t, void *), void *))symbol(
            library, "avr_register_io_write");
    count.call = (void (*)(avr_t *, uint64_t, cycle_timer_t, void *))symbol(library, "avr_cycle_timer_register");

    listen_locally();
    (void)dup2(STDERR_FILENO, STDOUT_FILENO); /* simavr prints as it loads */
    avr_t *avr = make(argv[2]);
    if (avr == NULL || init(avr) != 0 || read_elf(argv[4], &firmware) != 0) {
        fprintf(stderr, "simavr cannot run %s on %s\n", argv[4], argv[2]);
        return 1;
    }
    firmware.hertz = (uint32_t)strtoul(argv[3], NULL, 10);
    load(avr, &firmware);
    uint32_t no_flags = 0; /* neither echo on standard output nor naps of its own */
    control(avr, UART0_FLAGS, &no_flags);
    notify(get_line(avr, UART0_LINES, OUTPUT), on_output, NULL);
    notify(get_line(avr, UART0_LINES, OUT_XON), on_xon, NULL);
    notify(get_line(avr, UART0_LINES, OUT_XOFF), on_xoff, NULL);
    watch(avr, GPIOR0, on_mark, NULL);
    avr_irq_t *input = get_line(avr, UART0_LINES, INPUT);
    attend(-1);
    for (int i = 0; i < BOOT_INSTRUCTIONS && run(avr) == RUNNING; i++) {
    }
    may_send = 1;
    int naps = 0; /* cycles in a row that the CPU slept; more than a few bytes last: it only waits for one */
    for (;;) {
        for (int i = 0, state = 0; i < INSTRUCTIONS && state != SLEEPING; i++) {
            if (may_send && has_input()) {
                raise_line(input, line.in[line.in_at++]);
                naps = 0; /* the byte is on its way: it comes when a timer of the library says so */
            }
            state = run(avr);
            if (state == DONE || state == CRASHED) {
                fprintf(stderr, "the emulated CPU stopped\n");
                return 1;
            }
            naps = state == SLEEPING ? naps + 1 : 0;
        }
        attend(naps > IDLE_NAPS && !has_input() ? -1 : 0);
    }
}
