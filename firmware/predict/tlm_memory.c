/* The words that a user has typed, in the caller's bytes. Knows lines, words and their codes; knows
 * neither what a use is worth nor any network.
 *
 * Codes. Every word has a number: its network row, or TLM_FIRST_ROW + lexicon.rows + its index in the lexicon where it has
 * none (an n-gram has no rows, so that this is its own row), or TLM_UNKNOWN_CODE and a hash of its letters where the lexicon
 * has no such word. A line's start is 0 and a word that is too long is TLM_ROW_UNKNOWN: they come before others, that is all.
 *
 * Bytes (docs/SPEC-memory.md) can be read from the newest word to the oldest, so that the oldest may go wherever it ends.
 * Whatever they are, nothing outside of them is read: `used` is the memory's own, and every step goes down to 0. */
#include "tlm_memory.h"

#include "tlm_hash.h"
#include "tlm_lexicon.h"
#include "tlm_line.h"

#include <string.h>

enum {
    HEADER_CHECK = 0,    /* u32: FNV-1a of all that follows it */
    HEADER_HASH = 4,     /* u32: the model's hash: numbers of words are of that model */
    HEADER_USED = 8,     /* u16 */
    HEADER_BYTES = 10,
    DROP_BYTES = 32      /* of the oldest that go at once: the rest is moved */
};


static uint8_t mark_of(const tlm_model_t *model) { return (uint8_t)(model->lexicon.letters + 1u); }

tlm_lines_t tlm_memory_lines(const tlm_memory_t *memory)
{
    const tlm_lines_t lines = {memory->bytes + HEADER_BYTES, memory->used, mark_of(memory->model)};
    return lines;
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    for (uint8_t i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Of what the header's check is of. */
static uint32_t check_of(const tlm_memory_t *memory)
{
    uint32_t hash = TLM_HASH_START;

    for (uint16_t i = HEADER_HASH; i < HEADER_BYTES + memory->used; i++) {
        hash = tlm_hash_byte(hash, memory->bytes[i]);
    }
    return hash;
}

static void seal(tlm_memory_t *memory)
{
    put_u32(memory->bytes + HEADER_HASH, memory->model->hash);
    memory->bytes[HEADER_USED] = (uint8_t)memory->used;
    memory->bytes[HEADER_USED + 1] = (uint8_t)(memory->used >> 8);
    put_u32(memory->bytes + HEADER_CHECK, check_of(memory));
}

int tlm_memory_open(tlm_memory_t *memory, const tlm_model_t *model, uint8_t *bytes, uint16_t size)
{
    memory->model = model;
    memory->bytes = bytes;
    memory->size = size;
    memory->used = 0;
    if (size < TLM_MEMORY_LEAST) {
        memory->size = 0;
        return TLM_ERR_RANGE;
    }
    memory->used = (uint16_t)(bytes[HEADER_USED] | (uint16_t)bytes[HEADER_USED + 1] << 8);
    if (memory->used > size - HEADER_BYTES || get_u32(bytes + HEADER_HASH) != model->hash ||
        get_u32(bytes + HEADER_CHECK) != check_of(memory)) {
        tlm_memory_erase(memory);
    }
    return (int)memory->used;
}

void tlm_memory_erase(tlm_memory_t *memory)
{
    if (memory->size != 0) {
        memset(memory->bytes, 0, memory->size); /* nothing of what the user typed stays */
        memory->used = 0;
        seal(memory);
    }
}

void tlm_memory_use(tlm_engine_t *engine, tlm_memory_t *memory)
{
    engine->memory = memory != 0 && memory->size != 0 ? memory : 0;
    engine->suggestion_count = 0;
}

/* Writing */

static void append(tlm_memory_t *memory, const uint8_t *bytes, uint8_t count)
{
    uint8_t *lines = memory->bytes + HEADER_BYTES;

    if (count > memory->size - HEADER_BYTES - memory->used) { /* TLM_MEMORY_LEAST holds the longest word and the drop */
        memory->used = (uint16_t)(memory->used - DROP_BYTES);
        memmove(lines, lines + DROP_BYTES, memory->used);
    }
    memcpy(lines + memory->used, bytes, count);
    memory->used = (uint16_t)(memory->used + count);
}

static void append_code(tlm_memory_t *memory, uint32_t code)
{
    const uint8_t above = (uint8_t)(mark_of(memory->model) + 1u);
    uint8_t bytes[3] = {(uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(TLM_LONG_CODES + (code >> 16))};
    uint8_t count = 3;

    if ((code >> 8) < (uint32_t)(TLM_LONG_CODES - above)) {
        bytes[1] = (uint8_t)(above + (code >> 8));
        count = 2;
    }
    append(memory, bytes, count);
}

uint32_t tlm_memory_code(const uint8_t *letters, uint8_t length)
{
    uint32_t hash = TLM_HASH_START;

    while (length > 0) { /* as tlm_lines_read_spelled meets them */
        length--;
        hash = tlm_hash_byte(hash, letters[length]);
    }
    return hash | TLM_UNKNOWN_CODE;
}

static uint32_t code_of(const tlm_engine_t *engine, const uint8_t *letters, uint8_t length)
{
    uint32_t code;

    if (length > TLM_WORD_LETTERS) {
        return TLM_ROW_UNKNOWN;
    }
    code = tlm_lexicon_code(&tlm_model_of(engine)->lexicon, tlm_language_of(engine), letters, length);
    return code != TLM_ROW_UNKNOWN ? code : tlm_memory_code(letters, length);
}

/* The next word of the line from *at on, which moves past it; its length is 0 when there is none, above TLM_WORD_LETTERS
 * when it is too long. */
static uint8_t next_word(const tlm_engine_t *engine, uint16_t *at, uint8_t *letters)
{
    uint8_t length = 0;

    while (*at < engine->line_bytes) {
        const uint8_t letter = tlm_line_letter(engine, at);
        if (letter != 0 && length < TLM_WORD_LETTERS) {
            letters[length] = letter;
        }
        if (letter == 0 && length > 0) {
            break;
        }
        length = (uint8_t)(length + (letter != 0 && length <= TLM_WORD_LETTERS ? 1 : 0));
    }
    return length;
}

void tlm_memory_learn(tlm_engine_t *engine)
{
    tlm_memory_t *memory = tlm_memory_of(engine);
    uint8_t word[1 + TLM_WORD_LETTERS]; /* the mark, then the letters */
    uint16_t at = 0;
    bool empty = true;

    if (memory == 0) {
        return;
    }
    for (;;) {
        const uint8_t length = next_word(engine, &at, word + 1);
        const uint32_t code = code_of(engine, word + 1, length);
        if (length == 0) {
            break;
        }
        if (empty) {
            const uint8_t start = TLM_LINE_START;
            append(memory, &start, 1);
            empty = false;
        }
        if ((code & TLM_UNKNOWN_CODE) != 0) {
            word[0] = mark_of(tlm_model_of(engine));
            append(memory, word, (uint8_t)(length + 1u));
        } else {
            append_code(memory, code);
        }
    }
    if (!empty) {
        seal(memory);
    }
}

/* The letter that ends before `end`, 0 for what separates; *begin is where it begins. 0 < end <= line_bytes. */
static uint8_t letter_before(const tlm_engine_t *engine, uint16_t end, uint16_t *begin)
{
    uint16_t at = *begin = tlm_line_before(engine, end);
    return tlm_line_letter(engine, &at);
}

uint32_t tlm_memory_before(tlm_engine_t *engine, uint16_t start)
{
    uint8_t letters[TLM_WORD_LETTERS];
    uint16_t at = start;
    uint16_t begin;

    if (engine->before_bytes == start) {
        return engine->before_code;
    }
    while (at > 0 && letter_before(engine, at, &begin) == 0) {
        at = begin;
    }
    engine->before_code = TLM_ROW_BOUNDARY;
    if (at > 0) {
        while (at > 0 && letter_before(engine, at, &begin) != 0) {
            at = begin;
        }
        engine->before_code = code_of(engine, letters, next_word(engine, &at, letters));
    }
    engine->before_bytes = start;
    return engine->before_code;
}

/* Reading */

tlm_token_t tlm_lines_read_spelled(const tlm_lines_t *lines, uint16_t end)
{
    tlm_token_t token = {TLM_HASH_START, end, 0};

    while (token.at > 0 && lines->bytes[token.at - 1] != TLM_LINE_START && lines->bytes[token.at - 1] < lines->mark) {
        token.at--;
        token.code = tlm_hash_byte(token.code, lines->bytes[token.at]);
    }
    token.code |= TLM_UNKNOWN_CODE;
    if (token.at > 0 && lines->bytes[token.at - 1] == lines->mark && end - token.at <= TLM_WORD_LETTERS) {
        token.length = (uint8_t)(end - token.at);
    }
    return token;
}

/* 15 to 17 instructions a word on a Cortex-M4, half of what reading it takes. */
uint16_t tlm_lines_skip(const tlm_lines_t *lines, const tlm_codes_t *codes, uint16_t end)
{
    const tlm_codes_t wanted = *codes; /* in registers */
    const uint8_t *const start = lines->bytes;
    const uint8_t *at = start + end;
    const uint32_t above = lines->mark + 1u;

    while (at - start > 1) {
        const uint32_t high = at[-1] - above; /* of what is no code of two bytes: TLM_LONG_CODES - above or more */
        if (high < TLM_LONG_CODES - above) {
            if (tlm_codes_have(&wanted, at[-2] | high << 8)) {
                break;
            }
            at -= 2;
        } else if (at[-1] == TLM_LINE_START) {
            at--;
        } else {
            break;
        }
    }
    return (uint16_t)(at - start);
}
