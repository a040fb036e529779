/* What the line says, and how far the network has followed it. For the engine's own files; tinylm.h is the public API. */
#ifndef TLM_LINE_H
#define TLM_LINE_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The word being typed: the letters at the end of the line. */
typedef struct {
    uint16_t start;                    /* where it starts in the line, bytes */
    uint8_t length;                    /* letters; TLM_WORD_LETTERS + 1 stands for any more */
    uint8_t letters[TLM_WORD_LETTERS]; /* letter codes */
} tlm_typed_t;

/* Bytes of the UTF-8 character that `lead` begins: 1..4, or 0 when no character begins so. */
uint8_t tlm_utf8_bytes(uint8_t lead);

/* The letter code (1..) of the character at line[*at], *at below line_bytes, or 0 when it separates words; `*at` moves
 * past it. Upper and lower case have one code. */
uint8_t tlm_line_letter(const tlm_engine_t *engine, uint16_t *at);

/* Where the character that ends before `end` starts; 0 < end <= line_bytes. */
uint16_t tlm_line_before(const tlm_engine_t *engine, uint16_t end);

void tlm_line_typed(const tlm_engine_t *engine, tlm_typed_t *typed);

/* Write the word letters[0..length-1] (length <= TLM_WORD_LETTERS), of which the typed ones are the beginning, as the
 * suggestion of that rank. `capitals`: 0 none, 1 the first letter, 2 all of them. */
void tlm_suggestion_write(tlm_engine_t *engine, uint8_t rank, const tlm_typed_t *typed, const uint8_t *letters,
                          uint8_t length, uint8_t capitals);

/* The state before a line, where nothing was stepped yet. */
void tlm_moment_start(const tlm_engine_t *engine, tlm_moment_t *moment);

/* The newest moment, which has followed the line up to its line_bytes; the line's start is followed when none is kept. */
tlm_moment_t *tlm_moment_newest(tlm_engine_t *engine);

/* One step with `id`: the newest moment is then one that has followed the line up to `line_bytes`. */
tlm_moment_t *tlm_moment_push(tlm_engine_t *engine, uint16_t id, uint16_t line_bytes);

/* Follow the line to its last finished word: one step each, with the row that `row_of` gives. Returns the moment. */
typedef uint16_t tlm_word_row_t(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters,
                                uint8_t length);
const tlm_moment_t *tlm_line_follow(tlm_engine_t *engine, tlm_word_row_t *row_of);

/* Put a moment that was taken from another time with the same beginning of the line: it is then the newest. */
void tlm_moment_put(tlm_engine_t *engine, const tlm_moment_t *moment);

/* The line is cut: forget the moments that have seen more than the first `line_bytes` bytes, and what was shown behind these. */
void tlm_moment_drop(tlm_engine_t *engine, uint16_t line_bytes);

/* CRC-32 (IEEE 802.3) of the bytes from `at` up to `end`. */
uint32_t tlm_crc32(tlm_flash_t at, tlm_flash_t end);

#ifdef __cplusplus
}
#endif
#endif
