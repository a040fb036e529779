/* The line's characters, letters and moments. Knows UTF-8, the alphabet and the ring of moments; knows no suggestions. */
#include "tlm_line.h"

#include "tlm_passed.h"

#include <string.h>

uint8_t tlm_utf8_bytes(uint8_t lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) { /* a later byte, an overlong form of ASCII, or beyond U+10FFFF */
        return 0;
    }
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The code point of a character of 1 to 3 bytes; 0 for 4 bytes and overlong forms, none of which is a letter. */
static uint16_t decode_character(const char *text, uint8_t bytes)
{
    uint16_t point = (uint8_t)text[0];

    if (bytes == 1) {
        return point;
    }
    if (bytes == 2) {
        return (uint16_t)(((point & 0x1Fu) << 6) | ((uint8_t)text[1] & 0x3Fu));
    }
    if (bytes != 3) {
        return 0;
    }
    point = (uint16_t)(((point & 0x0Fu) << 12) | (((uint8_t)text[1] & 0x3Fu) << 6) | ((uint8_t)text[2] & 0x3Fu));
    return point < 0x0800 ? 0 : point;
}

/* Lower case of the Latin letters below U+0180, and the apostrophes as the training text had them (corpus.py). */
static uint16_t fold_character(uint16_t point)
{
    if (point == 0x2018 || point == 0x2019 || point == 0x02BC) {
        return '\'';
    }
    if (point >= 'A' && point <= 'Z') {
        return (uint16_t)(point + 0x20);
    }
    if (TLM_LETTER_BYTES == 1) { /* no letter of the alphabet is beyond ASCII */
        return point;
    }
    if (point >= 0xC0 && point <= 0xDE && point != 0xD7) {
        return (uint16_t)(point + 0x20);
    }
    if (point == 0x0178) {
        return 0xFF;
    }
    /* Upper and lower case alternate, even first up to U+0137 and from U+014A, odd first elsewhere. */
    if ((point >= 0x0100 && point <= 0x0136 && point != 0x0130) || (point >= 0x014A && point <= 0x0176)) {
        return (uint16_t)(point | 1u);
    }
    if ((point >= 0x0139 && point <= 0x0147) || (point >= 0x0179 && point <= 0x017D)) {
        return (uint16_t)(point + (point & 1u));
    }
    return point;
}

/* The capital of a letter of the alphabet; the letter where it has none (of two bytes or less). */
static uint16_t raise_character(uint16_t point)
{
    if (TLM_LETTER_BYTES == 1) {
        return point >= 'a' && point <= 'z' ? (uint16_t)(point - 0x20) : point;
    }
    if (fold_character((uint16_t)(point - 0x20)) == point) { /* a letter is no control character: 0x20 or more */
        return (uint16_t)(point - 0x20);
    }
    if (fold_character((uint16_t)(point - 1)) == point) {
        return (uint16_t)(point - 1);
    }
    return point == 0xFF ? 0x0178 : point;
}

static uint8_t find_letter(const tlm_model_t *model, uint16_t point)
{
    const uint8_t letters = model->lexicon.letters; /* at most TLM_MAX_LETTERS */
    const uint16_t behind = (uint16_t)(model->alphabet[letters - 1] - point); /* where it is beyond the last: above any number of letters */
    uint8_t letter = (uint8_t)(behind < letters ? letters - behind : 1); /* none before it can be the one, as they rise */

    while (letter <= letters && model->alphabet[letter - 1] != point) {
        letter++;
    }
    return (uint8_t)(letter <= letters ? letter : 0);
}

uint8_t tlm_line_letter(const tlm_engine_t *engine, uint16_t *at)
{
    const uint8_t bytes = tlm_utf8_bytes((uint8_t)engine->line[*at]); /* never 0: tlm_feed keeps whole characters only */
    const uint16_t point = decode_character(engine->line + *at, bytes);

    *at = (uint16_t)(*at + bytes);
    return find_letter(tlm_model_of(engine), fold_character(point));
}

uint16_t tlm_line_before(const tlm_engine_t *engine, uint16_t end)
{
    do {
        end--;
    } while (end > 0 && ((uint8_t)engine->line[end] & 0xC0u) == 0x80u);
    return end;
}

void tlm_line_typed(const tlm_engine_t *engine, tlm_typed_t *typed)
{
    uint8_t *const letters = typed->letters;
    uint16_t start = engine->line_bytes;

    typed->length = 0;
    for (;;) { /* the last letter first */
        uint16_t at;
        uint8_t letter;
        typed->start = start;
        if (start == 0) {
            break;
        }
        at = start = tlm_line_before(engine, start);
        letter = tlm_line_letter(engine, &at);
        if (letter == 0) {
            break;
        }
        if (typed->length < TLM_WORD_LETTERS) {
            letters[typed->length] = letter;
        }
        typed->length = (uint8_t)(typed->length + (typed->length <= TLM_WORD_LETTERS ? 1 : 0));
    }
    if (typed->length <= TLM_WORD_LETTERS) { /* those of a longer word are not asked for */
        for (uint8_t i = 0; i < typed->length / 2u; i++) {
            const uint8_t letter = letters[i];
            letters[i] = letters[typed->length - 1u - i];
            letters[typed->length - 1u - i] = letter;
        }
    }
}

/* Whether the suggestion keeps the typed letters: the first is not as the alphabet has it, and the whole fits. */
static bool keeps_typed(const tlm_engine_t *engine, const tlm_typed_t *typed, uint8_t length)
{
    const char *text = engine->line + typed->start;
    /* A typed apostrophe may have 3, so that the whole may be too long. */
    const uint16_t most = (uint16_t)(engine->line_bytes - typed->start + (uint16_t)TLM_LETTER_BYTES * (uint8_t)(length - typed->length));

    return typed->length > 0 && most < TLM_WORD_BYTES &&
           decode_character(text, tlm_utf8_bytes((uint8_t)text[0])) != tlm_model_of(engine)->alphabet[typed->letters[0] - 1];
}

void tlm_suggestion_write(tlm_engine_t *engine, uint8_t rank, const tlm_typed_t *typed, const uint8_t *letters,
                          uint8_t length, uint8_t capitals)
{
    char *text = engine->suggestions[rank].text;
    uint8_t i = 0;

    if (keeps_typed(engine, typed, length)) {
        const uint16_t kept = (uint16_t)(engine->line_bytes - typed->start);
        memcpy(text, engine->line + typed->start, kept);
        text += kept;
        i = typed->length;
    }
    for (; i < length; i++) {
        uint16_t point = tlm_model_of(engine)->alphabet[letters[i] - 1]; /* below U+0800: 2 bytes, as its capital */
        if (capitals > (i == 0 ? 0 : 1)) {
            point = raise_character(point);
        }
        if (TLM_LETTER_BYTES == 1 || point < 0x80) {
            *text++ = (char)point;
        } else {
            *text++ = (char)(uint8_t)(0xC0u | (point >> 6));
            *text++ = (char)(uint8_t)(0x80u | (point & 0x3Fu));
        }
    }
    *text = '\0';
}

void tlm_moment_start(const tlm_engine_t *engine, tlm_moment_t *moment)
{
    const tlm_network_t *network = &engine->model->network;

    memset(moment->state, 0, sizeof moment->state);
    if (network->start != 0) {
        network->start(moment->state);
    }
}

tlm_moment_t *tlm_moment_newest(tlm_engine_t *engine)
{
    tlm_moment_t *moment;

    if (engine->moments == 0) {
        const tlm_network_t *network = &tlm_model_of(engine)->network;
        engine->newest = 0;
        engine->moments = 1;
        moment = &engine->history[0];
        tlm_moment_start(engine, moment);
        network->step(tlm_language_of(engine), TLM_ROW_BOUNDARY, moment->state, moment->context, engine->scratch);
        moment->line_bytes = 0;
    }
    return &engine->history[engine->newest];
}

/* The place after the newest moment, which is then the newest; the oldest one goes when the ring is full. */
static tlm_moment_t *next_moment(tlm_engine_t *engine)
{
    engine->newest = (uint8_t)(engine->newest + 1 < TLM_HISTORY ? engine->newest + 1 : 0);
    if (engine->moments < TLM_HISTORY) {
        engine->moments++;
    }
    return &engine->history[engine->newest];
}

tlm_moment_t *tlm_moment_push(tlm_engine_t *engine, uint16_t id, uint16_t line_bytes)
{
    const tlm_network_t *network = &tlm_model_of(engine)->network;
    const tlm_moment_t *before = tlm_moment_newest(engine);
    tlm_moment_t *moment = next_moment(engine);

    if (moment != before) { /* the same place when TLM_HISTORY is 1 */
        memcpy(moment->state, before->state, sizeof moment->state);
    }
    network->step(tlm_language_of(engine), id, moment->state, moment->context, engine->scratch);
    moment->line_bytes = line_bytes;
    return moment;
}

void tlm_moment_put(tlm_engine_t *engine, const tlm_moment_t *moment)
{
    *next_moment(engine) = *moment;
}

void tlm_moment_drop(tlm_engine_t *engine, uint16_t line_bytes)
{
    while (engine->moments > 0 && engine->history[engine->newest].line_bytes > line_bytes) {
        engine->newest = (uint8_t)((engine->newest > 0 ? engine->newest : TLM_HISTORY) - 1);
        engine->moments--;
    }
    tlm_passed_drop(engine, (uint16_t)(line_bytes + 1u));
    if (!TLM_SMALL && engine->before_bytes > line_bytes) {
        engine->before_bytes = TLM_NOT_KNOWN;
    }
}

const tlm_moment_t *tlm_line_follow(tlm_engine_t *engine, tlm_word_row_t *row_of)
{
    const tlm_moment_t *moment = tlm_moment_newest(engine);
    uint8_t letters[TLM_WORD_LETTERS];
    uint8_t length = 0; /* stops at TLM_WORD_LETTERS + 1: a word too long to have a row */
    uint16_t at = moment->line_bytes; /* a moment ends after the character that ends its word */

    while (at < engine->line_bytes) {
        const uint8_t letter = tlm_line_letter(engine, &at);
        if (letter != 0) {
            if (length < TLM_WORD_LETTERS) {
                letters[length] = letter;
            }
            length = (uint8_t)(length + (length <= TLM_WORD_LETTERS ? 1 : 0));
        } else if (length > 0) {
            const uint16_t row = length <= TLM_WORD_LETTERS
                                     ? row_of(&tlm_model_of(engine)->lexicon, tlm_language_of(engine), letters, length)
                                     : (uint16_t)TLM_ROW_UNKNOWN;
            moment = tlm_moment_push(engine, row, at);
            length = 0;
        }
    }
    return moment;
}
