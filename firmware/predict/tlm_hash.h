/* FNV-1a (Fowler, Noll, Vo), 32 bits: golden hashes, the memory's check, names of words that have no number. */
#ifndef TLM_HASH_H
#define TLM_HASH_H

#include <stdint.h>

#define TLM_HASH_START 2166136261UL

static inline uint32_t tlm_hash_byte(uint32_t hash, uint8_t byte) { return (hash ^ byte) * 16777619UL; }

#endif
