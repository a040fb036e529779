/* A stand-in engine for the link's tests: a fixed list of words, no network. It keeps the contracts of tinylm.h that
 * the link relies on, so that the link is tested without a model. tests/link_rig.py has the same engine in Python. */
#include "tinylm.h"

#include <string.h>

#ifndef STUB_LANGUAGE
#define STUB_LANGUAGE 0 /* what tlm_language_check says */
#endif
#ifndef STUB_SELF_TEST
#define STUB_SELF_TEST 0
#endif

static const char *const WORDS[] = {"are", "the", "to", "you", "your", "yes", "how", "h\xC3\xA9las", "have", "here",
                                    "internationalisation", "interoperability", "internationally"};
enum { WORD_COUNT = sizeof WORDS / sizeof WORDS[0] };

const tlm_model_t tlm_model = {"stub-en", 0xC0FFEE42u, 1234u, 0, {0, 0, 0, WORD_COUNT, WORD_COUNT, 16, 26, 0, 0},
                               {4, 4, WORD_COUNT + 2, 100, 0, 0, 0, 0}, 0, 0, 0, 0u};

int tlm_language_check(const tlm_model_t *model, tlm_flash_t language)
{
    (void)model;
    (void)language;
    return STUB_LANGUAGE;
}

int tlm_engine_init(tlm_engine_t *engine, const tlm_model_t *model, tlm_flash_t language)
{
    engine->model = model;
    engine->language = language;
    engine->memory = 0;
    tlm_reset(engine);
    return 0;
}

int tlm_self_test(tlm_engine_t *engine)
{
    tlm_reset(engine);
    return STUB_SELF_TEST;
}

/* `used` counts the lines learned. */
int tlm_memory_open(tlm_memory_t *memory, const tlm_model_t *model, uint8_t *bytes, uint16_t size)
{
    memory->model = model;
    memory->bytes = bytes;
    memory->size = size;
    memory->used = 0;
    return 0;
}

void tlm_memory_erase(tlm_memory_t *memory) { memory->used = 0; }

void tlm_memory_use(tlm_engine_t *engine, tlm_memory_t *memory) { engine->memory = memory; }

uint32_t tlm_network_hash(tlm_engine_t *engine, uint16_t start, uint16_t stride, uint16_t steps)
{
    engine->line_bytes = 7; /* leaves dirt: the link must clean up */
    return ((uint32_t)start << 16) ^ ((uint32_t)stride << 8) ^ steps;
}

void tlm_reset(tlm_engine_t *engine)
{
    engine->line_bytes = 0;
    engine->pending_bytes = 0;
    engine->suggestion_count = 0;
}

static uint8_t character_bytes(uint8_t first)
{
    return first < 0x80u ? 1 : first < 0xE0u ? 2 : first < 0xF0u ? 3 : 4;
}

int tlm_feed(tlm_engine_t *engine, uint8_t byte)
{
    if (byte == '\n' || byte == '\r') {
        if (engine->memory != 0 && engine->line_bytes > 0) {
            engine->memory->used++;
        }
        tlm_reset(engine);
        return 0;
    }
    if (byte == '\b' || byte == 127) {
        return tlm_backspace(engine);
    }
    if ((byte & 0xC0u) != 0x80u) {
        engine->pending_bytes = 0;
        if (engine->line_bytes + character_bytes(byte) > TLM_LINE_BYTES) {
            return TLM_ERR_FULL;
        }
    } else if (engine->pending_bytes == 0) {
        return 0;
    }
    engine->line[engine->line_bytes + engine->pending_bytes++] = (char)byte;
    if (engine->pending_bytes == character_bytes((uint8_t)engine->line[engine->line_bytes])) {
        engine->line_bytes = (uint16_t)(engine->line_bytes + engine->pending_bytes);
        engine->pending_bytes = 0;
        engine->suggestion_count = 0;
    }
    return 0;
}

int tlm_backspace(tlm_engine_t *engine)
{
    if (engine->line_bytes == 0) {
        return TLM_ERR_EMPTY;
    }
    do {
        engine->line_bytes--;
    } while (engine->line_bytes > 0 && ((uint8_t)engine->line[engine->line_bytes] & 0xC0u) == 0x80u);
    engine->suggestion_count = 0;
    return 0;
}

static uint16_t word_start(const tlm_engine_t *engine)
{
    uint16_t at = engine->line_bytes;
    while (at > 0 && engine->line[at - 1] != ' ') {
        at--;
    }
    return at;
}

int tlm_suggest(tlm_engine_t *engine, uint8_t count)
{
    uint16_t start = word_start(engine);
    uint16_t typed = (uint16_t)(engine->line_bytes - start);
    if (count == 0 || count > TLM_MAX_SUGGESTIONS) {
        return TLM_ERR_RANGE;
    }
    engine->suggestion_count = 0;
    for (int i = 0; i < WORD_COUNT && engine->suggestion_count < count; i++) {
        if (strlen(WORDS[i]) > typed && memcmp(WORDS[i], engine->line + start, typed) == 0) {
            strcpy(engine->suggestions[engine->suggestion_count++].text, WORDS[i]);
        }
    }
    return engine->suggestion_count;
}

int tlm_accept(tlm_engine_t *engine, uint8_t rank)
{
    if (engine->suggestion_count == 0) {
        return TLM_ERR_EMPTY;
    }
    if (rank >= engine->suggestion_count) {
        return TLM_ERR_RANGE;
    }
    const char *word = engine->suggestions[rank].text;
    uint16_t start = word_start(engine);
    uint16_t bytes = (uint16_t)strlen(word);
    if (start + bytes + 1 > TLM_LINE_BYTES) {
        return TLM_ERR_FULL;
    }
    memcpy(engine->line + start, word, bytes);
    engine->line[start + bytes] = ' ';
    engine->line_bytes = (uint16_t)(start + bytes + 1);
    engine->suggestion_count = 0;
    return engine->line_bytes;
}
