/* The engine as a shared library for a program on a computer (tinylm/engine.py, through ctypes). Not for firmware. */
#ifndef TLM_LIBRARY_H
#define TLM_LIBRARY_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that the caller allots for an engine. */
uint32_t tlm_library_engine_bytes(void);

/* Start an engine on the library's own model. Returns 0 or TLM_ERR_MODEL. */
int tlm_library_open(tlm_engine_t *engine);

/* Make the line equal to text[0..size-1] with the least work: what the line and the text have in common stays.
 * Returns 0 or TLM_ERR_FULL (the line then holds the beginning of the text). */
int tlm_library_type(tlm_engine_t *engine, const uint8_t *text, uint32_t size);

/* tlm_suggest, its words one after the other into out[], each ended by a newline, the last one by a zero too; `out` holds
 * TLM_MAX_SUGGESTIONS * TLM_WORD_BYTES + 1. Returns the number of words, or an error below 0. */
int tlm_library_suggest(tlm_engine_t *engine, uint8_t count, char *out);

/* The scores of all rows at the end of the line, scores[0..rows-1]. Returns rows. */
int tlm_library_scores(tlm_engine_t *engine, int32_t *scores);

#ifdef __cplusplus
}
#endif
#endif
