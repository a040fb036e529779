/* The link as a shared library: a test gives bytes and gets the answer's bytes, without a process or a clock. */
#include "board.h"
#include "tlm_link.h"

static tlm_engine_t engine;
static tlm_link_t serial;
static tlm_memory_t memory;
static uint8_t memory_bytes[TLM_USER_MEMORY_BYTES];
static uint8_t *sent;
static uint32_t sent_bytes, sent_room;

void tlm_port_write(uint8_t byte)
{
    if (sent_bytes < sent_room) {
        sent[sent_bytes] = byte;
    }
    sent_bytes++;
}

uint32_t test_boot(uint8_t *out, uint32_t room)
{
    tlm_checks_t checks = {0, 0, 0};
    sent = out;
    sent_room = room;
    sent_bytes = 0;
    tlm_engine_init(&engine, &tlm_model, sent);
    tlm_memory_open(&memory, &tlm_model, memory_bytes, sizeof memory_bytes);
    tlm_link_init(&serial, &engine, TLM_BOARD_NAME, checks, &memory);
    return sent_bytes;
}

/* How many lines the stand-in's memory has learned. */
uint32_t test_learned(void) { return memory.used; }

/* Returns the number of bytes answered; those beyond `room` are lost. */
uint32_t test_bytes(const uint8_t *in, uint32_t count, uint8_t *out, uint32_t room)
{
    sent = out;
    sent_room = room;
    sent_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        tlm_link_byte(&serial, in[i]);
    }
    return sent_bytes;
}
