/* The engine as a shared library for a program on a computer (tinylm/engine.py, through ctypes). Not for firmware. */
#ifndef TLM_LIBRARY_H
#define TLM_LIBRARY_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the network knew after the beginning of some line; found again by a hash of that beginning. */
typedef struct {
    uint64_t key;              /* 0: empty */
    tlm_moment_t moment;
} tlm_library_memory_t;

/* An engine that remembers beginnings of lines: queries in any order cost few steps. The caller allots and clears both. */
typedef struct {
    tlm_engine_t engine;
    tlm_library_memory_t *memories;
    uint32_t memory_count;     /* a power of two, or 0 */
    tlm_memory_t taught;
} tlm_library_t;

/* Bytes of a tlm_library_t, and of one memory. */
uint32_t tlm_library_bytes(void);
uint32_t tlm_library_memory_bytes(void);

/* Start an engine on the library's own model; the memories are all zero. Returns 0 or TLM_ERR_MODEL. */
int tlm_library_open(tlm_library_t *library, tlm_library_memory_t *memories, uint32_t memory_count);

/* Learn from now on, in bytes[0..size-1] (tlm_memory_open and tlm_memory_use). Returns what tlm_memory_open does. */
int tlm_library_learn(tlm_library_t *library, uint8_t *bytes, uint16_t size);

/* Forget what was learned. */
void tlm_library_forget(tlm_library_t *library);

/* Make the line equal to text[0..size-1] with the least work: what the line and the text have in common stays.
 * Returns 0 or TLM_ERR_FULL (the line then holds the beginning of the text). */
int tlm_library_type(tlm_library_t *library, const uint8_t *text, uint32_t size);

/* tlm_suggest, its words one after the other into out[], each ended by a newline, the last one by a zero too; `out` holds
 * TLM_MAX_SUGGESTIONS * TLM_WORD_BYTES + 1. Returns the number of words, or an error below 0. */
int tlm_library_suggest(tlm_library_t *library, uint8_t count, char *out);

/* Type and suggest for `queries` lines in one call. `letter_by_letter`: as for a person who typed the line's last word so, and saw the
 * words after each letter; otherwise a list knows of none before it. The lines lie one after the other at `texts`, line i being sizes[i] bytes
 * and wanting counts[i] words. Their words follow one another in out[] as tlm_library_suggest writes them, which needs
 * queries * TLM_MAX_SUGGESTIONS * TLM_WORD_BYTES + 1 bytes; found[i] is how many there are, or the error of that line. */
void tlm_library_answer(tlm_library_t *library, const uint8_t *texts, const uint32_t *sizes, const uint8_t *counts,
                        uint32_t queries, bool letter_by_letter, int8_t *found, char *out);

/* The scores of all rows at the end of the line, scores[0..rows-1]. Returns rows, or TLM_ERR_UNKNOWN (n-gram kind). */
int tlm_library_scores(tlm_library_t *library, int32_t *scores);

/* What the n-gram has at the end of the line: rows[] and costs[], each of 65,536. Returns how many; 0 without an n-gram. */
int tlm_library_followers(tlm_library_t *library, uint16_t *rows, uint16_t *costs);

#ifdef __cplusplus
}
#endif
#endif
