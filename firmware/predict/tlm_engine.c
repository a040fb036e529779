/* The engine: a line that is typed, taken back and completed. Knows bytes and when moments die; the network (or
 * n-gram) is followed by tlm_suggest_*.c, when a suggestion is asked for. */
#include <string.h>

#include "tlm_hash.h"
#include "tlm_line.h"
#include "tlm_memory.h"

enum {
    HEADER_BYTES = 16, /* of the language: "TLM2", u32 length, u32 CRC-32 of what follows the header, u32 model hash */
    HEADER_LENGTH = 4,
    HEADER_CRC = 8,
    HEADER_HASH = 12,
    SELF_TEST_STEPS = 8
};

static const uint32_t HEADER_MAGIC = 0x324D4C54; /* "TLM2", little-endian */

int tlm_engine_init(tlm_engine_t *engine, const tlm_model_t *model, tlm_flash_t language)
{
    const tlm_network_t *network = &model->network;

    engine->model = model;
    engine->language = language;
    engine->memory = 0;
    tlm_reset(engine);
    if (tlm_flash_u32(language) != HEADER_MAGIC ||
        tlm_flash_u32(language + HEADER_LENGTH) != model->language_bytes ||
        tlm_flash_u32(language + HEADER_HASH) != model->hash) {
        return TLM_ERR_MODEL;
    }
    if (network->state_bytes > TLM_STATE_BYTES || network->context_bytes > TLM_CONTEXT_BYTES ||
        network->units_per_nat < 1 || network->units_per_nat > TLM_MAX_UNITS ||
        model->lexicon.letters > TLM_MAX_LETTERS) {
        return TLM_ERR_MODEL;
    }
    return 0;
}

/* One more byte of a CRC-32 (IEEE 802.3, reflected): half a byte at a time, as 64 bytes of table are a fair price; but not where
 * flash is scarce. */
static uint32_t crc32(uint32_t crc, uint8_t byte)
{
    static const uint32_t half[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                      0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                      0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    crc ^= byte;
    if (!TLM_SMALL) {
        crc = (crc >> 4) ^ half[crc & 15u];
        return (crc >> 4) ^ half[crc & 15u];
    }
    for (uint8_t bit = 0; bit < 8; bit++) {
        crc = (crc & 1u) != 0 ? (crc >> 1) ^ half[8] : crc >> 1;
    }
    return crc;
}

uint32_t tlm_crc32(tlm_flash_t at, tlm_flash_t end)
{
    uint32_t crc = 0xFFFFFFFF;
    for (; at != end; at++) {
        crc = crc32(crc, tlm_flash_u8(at));
    }
    return ~crc;
}

int tlm_language_check(const tlm_model_t *model, tlm_flash_t language)
{
    if (tlm_flash_u32(language + HEADER_LENGTH) != model->language_bytes) {
        return TLM_ERR_MODEL;
    }
    const uint32_t crc = tlm_crc32(language + HEADER_BYTES, language + (tlm_offset_t)model->language_bytes);
    return crc == tlm_flash_u32(language + HEADER_CRC) ? 0 : TLM_ERR_MODEL;
}

uint32_t tlm_hash_network(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;

    for (uint16_t i = 0; i < network->state_bytes; i++) {
        hash = tlm_hash_byte(hash, (uint8_t)moment->state[i]);
    }
    for (uint16_t row = 0; row < network->rows; row++) {
        hash = tlm_hash_byte(hash, (uint8_t)network->logit(tlm_language_of(engine), moment->context, row));
    }
    return hash;
}

uint32_t tlm_network_hash(tlm_engine_t *engine, uint16_t start, uint16_t stride, uint16_t steps)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;
    tlm_moment_t *moment = &engine->history[0];
    uint32_t hash = TLM_HASH_START;
    uint16_t id = (uint16_t)(start % network->rows);

    tlm_reset(engine);
    tlm_moment_start(engine, moment);
    stride = (uint16_t)(stride % network->rows);
    for (uint16_t i = 0; i < steps; i++) {
        network->step(tlm_language_of(engine), id, moment->state, moment->context, engine->scratch);
        hash = tlm_model_of(engine)->hash_moment(engine, moment, hash);
        id = (uint16_t)(network->rows - id > stride ? id + stride : id + stride - network->rows);
    }
    return hash;
}

int tlm_self_test(tlm_engine_t *engine)
{
    return tlm_network_hash(engine, 0, 1, SELF_TEST_STEPS) == tlm_model_of(engine)->self_test_hash ? 0 : TLM_ERR_MODEL;
}

void tlm_reset(tlm_engine_t *engine)
{
    engine->newest = 0;
    engine->moments = 0;
    engine->line_bytes = 0;
    if (!TLM_SMALL) {
        engine->before_bytes = TLM_NOT_KNOWN;
    }
    engine->pending_bytes = 0;
    engine->suggestion_count = 0;
    engine->passed.count = 0;
}

int tlm_feed(tlm_engine_t *engine, uint8_t byte)
{
    const bool continues = (byte & 0xC0u) == 0x80u;

    if (byte == '\n' || byte == '\r') {
        tlm_memory_learn(engine);
        tlm_reset(engine);
        return 0;
    }
    if (byte == 8 || byte == 127) {
        return tlm_backspace(engine);
    }
    if (!continues) {
        const uint8_t bytes = tlm_utf8_bytes(byte);
        engine->pending_bytes = 0; /* a character that was never finished is no character */
        if (bytes == 0) {
            return 0;
        }
        if ((uint32_t)engine->line_bytes + bytes > TLM_LINE_BYTES) {
            return TLM_ERR_FULL;
        }
    } else if (engine->pending_bytes == 0) {
        return 0;
    }
    /* In bounds: there was room for the whole character when its first byte came, and it ends as soon as it is whole. */
    engine->line[engine->line_bytes + engine->pending_bytes] = (char)byte;
    engine->pending_bytes++;
    if (engine->pending_bytes == tlm_utf8_bytes((uint8_t)engine->line[engine->line_bytes])) {
        engine->line_bytes = (uint16_t)(engine->line_bytes + engine->pending_bytes);
        engine->pending_bytes = 0;
        engine->suggestion_count = 0;
    }
    return 0;
}

int tlm_backspace(tlm_engine_t *engine)
{
    engine->suggestion_count = 0;
    if (engine->pending_bytes > 0) {
        engine->pending_bytes = 0;
        return 0;
    }
    if (engine->line_bytes == 0) {
        return TLM_ERR_EMPTY;
    }
    engine->line_bytes = tlm_line_before(engine, engine->line_bytes);
    tlm_moment_drop(engine, engine->line_bytes);
    return 0;
}

int tlm_suggest(tlm_engine_t *engine, uint8_t count)
{
    int made;

    if (count < 1 || count > TLM_MAX_SUGGESTIONS) {
        return TLM_ERR_RANGE;
    }
    made = tlm_model_of(engine)->suggest(engine, count);
    engine->suggestion_count = (uint8_t)(made > 0 ? made : 0);
    return made;
}

int tlm_accept(tlm_engine_t *engine, uint8_t rank)
{
    tlm_typed_t typed;
    const char *text;
    uint16_t at;
    uint16_t bytes;

    if (engine->suggestion_count == 0) {
        return TLM_ERR_EMPTY;
    }
    if (rank >= engine->suggestion_count) {
        return TLM_ERR_RANGE;
    }
    text = engine->suggestions[rank].text;
    bytes = (uint16_t)strlen(text); /* below TLM_WORD_BYTES */
    tlm_line_typed(engine, &typed);
    at = typed.start;
    if ((uint32_t)at + bytes + 1u > TLM_LINE_BYTES) {
        return TLM_ERR_FULL;
    }
    /* The letters already typed stay, and so do the moments that have seen no others. */
    while (at < engine->line_bytes && *text != '\0' && engine->line[at] == *text) {
        at++;
        text++;
        bytes--;
    }
    tlm_moment_drop(engine, at);
    memcpy(engine->line + at, text, bytes);
    engine->line[at + bytes] = ' ';
    engine->line_bytes = (uint16_t)(at + bytes + 1u);
    engine->pending_bytes = 0;
    engine->suggestion_count = 0;
    return (int)engine->line_bytes;
}
