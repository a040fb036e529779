/* The user's memory, for the engine's own files: lines in, words out. tinylm.h is the public API, and docs/SPEC-memory.md has
 * the bytes. */
#ifndef TLM_MEMORY_H
#define TLM_MEMORY_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TLM_UNKNOWN_CODE 0x80000000UL  /* codes from here on: a word that is not in the lexicon (tlm_memory.c, "Codes") */

/* What was read: a word, or the start of a line. */
typedef struct {
    uint32_t code;
    uint16_t at;         /* of an unknown word: its letter codes in tlm_memory_lines */
    uint8_t length;      /* and how many, 1..TLM_WORD_LETTERS; 0: it is no unknown word */
} tlm_token_t;

/* The words of the line, which ends, into the memory; nothing when there is no memory or no word. */
void tlm_memory_learn(tlm_engine_t *engine);

/* The code of the last word that was finished before byte `start` of the line; kept until the line loses it. */
uint32_t tlm_memory_before(tlm_engine_t *engine, uint16_t start);

/* The bytes of the lines, memory->used of them. */
uint8_t *tlm_memory_lines(const tlm_memory_t *memory);

/* What ends before byte *at, which moves to where that begins: from memory->used on, the newest first. Returns false when
 * there is no more, or what there is was cut or damaged. */
bool tlm_memory_read(const tlm_memory_t *memory, uint16_t *at, tlm_token_t *token);

#ifdef __cplusplus
}
#endif
#endif
