/* The words that a user has typed, in the caller's bytes. Knows lines, words and how often; knows no network.
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
    LINE_START = 0,      /* a byte before a line's words; letters are 1..lexicon.letters */
    LONG_CODES = 254,    /* the last byte of a code of 3 bytes is this or more, and less of one of 2 */
    DROP_BYTES = 32      /* of the oldest that go at once: the rest is moved */
};


/* The byte before an unknown word; those above it end a code. */
static uint8_t spelled_mark(const tlm_model_t *model) { return (uint8_t)(model->lexicon.letters + 1u); }

uint8_t *tlm_memory_lines(const tlm_memory_t *memory) { return memory->bytes + HEADER_BYTES; }

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
    uint8_t *lines = tlm_memory_lines(memory);

    if (count > memory->size - HEADER_BYTES - memory->used) { /* TLM_MEMORY_LEAST holds the longest word and the drop */
        memory->used = (uint16_t)(memory->used - DROP_BYTES);
        memmove(lines, lines + DROP_BYTES, memory->used);
    }
    memcpy(lines + memory->used, bytes, count);
    memory->used = (uint16_t)(memory->used + count);
}

static void append_code(tlm_memory_t *memory, uint32_t code)
{
    const uint8_t above = (uint8_t)(spelled_mark(memory->model) + 1u);
    uint8_t bytes[3] = {(uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(LONG_CODES + (code >> 16))};
    uint8_t count = 3;

    if ((code >> 8) < (uint32_t)(LONG_CODES - above)) {
        bytes[1] = (uint8_t)(above + (code >> 8));
        count = 2;
    }
    append(memory, bytes, count);
}

static uint32_t code_of(const tlm_engine_t *engine, const uint8_t *letters, uint8_t length)
{
    const tlm_lexicon_t *lexicon = &engine->model->lexicon;
    uint32_t hash = TLM_HASH_START;
    tlm_cursor_t cursor;

    if (length > TLM_WORD_LETTERS) {
        return TLM_ROW_UNKNOWN;
    }
    if (tlm_cursor_seek_word(lexicon, engine->language, letters, length, &cursor)) {
        return cursor.level == 0 ? cursor.row : (uint32_t)TLM_FIRST_ROW + lexicon->rows + cursor.word;
    }
    while (length > 0) { /* as read_spelled meets them */
        length--;
        hash = tlm_hash_byte(hash, letters[length]);
    }
    return hash | TLM_UNKNOWN_CODE;
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
    tlm_memory_t *memory = engine->memory;
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
            const uint8_t start = LINE_START;
            append(memory, &start, 1);
            empty = false;
        }
        if ((code & TLM_UNKNOWN_CODE) != 0) {
            word[0] = spelled_mark(engine->model);
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

/* The unknown word whose last letter is before *at. Returns false where its mark is missing: it was cut, or damaged. */
static bool read_spelled(const uint8_t *lines, uint8_t mark, uint16_t *at, tlm_token_t *token)
{
    const uint16_t end = *at;
    uint32_t hash = TLM_HASH_START;

    while (*at > 0 && lines[*at - 1] != LINE_START && lines[*at - 1] < mark) {
        (*at)--;
        hash = tlm_hash_byte(hash, lines[*at]);
    }
    if (*at == 0 || lines[*at - 1] != mark || end - *at > TLM_WORD_LETTERS) {
        return false;
    }
    token->code = hash | TLM_UNKNOWN_CODE;
    token->at = *at;
    token->length = (uint8_t)(end - *at);
    (*at)--;
    return true;
}

bool tlm_memory_read(const tlm_memory_t *memory, uint16_t *at, tlm_token_t *token)
{
    const uint8_t *lines = tlm_memory_lines(memory);
    const uint8_t mark = spelled_mark(memory->model);
    uint8_t last, bytes;

    if (*at == 0) {
        return false;
    }
    last = lines[*at - 1];
    token->at = 0;
    token->length = 0;
    if (last <= mark && last != LINE_START) {
        return last != mark && read_spelled(lines, mark, at, token);
    }
    bytes = last == LINE_START ? 1 : last < LONG_CODES ? 2 : 3;
    if (*at < bytes) {
        return false;
    }
    *at = (uint16_t)(*at - bytes);
    token->code = bytes == 1 ? (uint32_t)TLM_ROW_BOUNDARY
                  : bytes == 2 ? lines[*at] | (uint32_t)(uint8_t)(last - mark - 1) << 8
                               : lines[*at] | (uint32_t)lines[*at + 1] << 8 | (uint32_t)(last - LONG_CODES) << 16;
    return true;
}
