/* The packed n-gram's reader: what follows a word, and two words. docs/SPEC-ngram.md has the format. Nothing is unpacked to
 * RAM. Hostile bytes are harmless by construction: nothing outside the sections is read, and every turn of a loop either
 * takes a bit of the stream or ends. */
#ifndef TLM_NGRAM_H
#define TLM_NGRAM_H

#include "tlm_bits.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_NGRAM_UNITS = 16,        /* cost units in a nat */
    TLM_FOLLOWERS = TLM_SMALL ? 4 : 32 /* read at once: 128 bytes of stack */
};

/* Where the followers of the last word are; the state that the engine carries from word to word. No padding: it is copied
 * to and from a moment's bytes. */
typedef struct {
    uint32_t pairs_bit;          /* first follower of the last word, bit of the stream */
    uint32_t triples_bit;        /* first follower of the last two words */
    uint16_t last;               /* row of the last word */
    uint16_t pairs, triples;     /* how many */
    uint8_t pair_backoff;        /* costs */
    uint8_t triple_backoff;
} tlm_ngram_state_t;

typedef char tlm_assert_ngram_state[sizeof(tlm_ngram_state_t) == TLM_NGRAM_STATE_BYTES ? 1 : -1];

/* Reads followers, some at once. */
typedef struct {
    uint16_t first, most;        /* of long sets, followers below that row or dearer may be passed over: 0 and 65,535 at first */
    tlm_flash_t costs_at;        /* of the classes of pairs */
    tlm_groups_t groups;         /* of the pairs */
    tlm_group_t group;
    tlm_set_t triples;           /* after the one that is read ahead */
    uint32_t bit, triples_bit;   /* of the next pair, the next triple */
    uint16_t rank;               /* of the next pair among all */
    uint16_t triple_rank;        /* of the triple that is read ahead, 0xFFFF: there is none */
    uint8_t triple_cost;         /* its cost */
    uint8_t pair_backoff, triple_backoff;
    uint16_t rows[TLM_FOLLOWERS], costs[TLM_FOLLOWERS]; /* what was read */
} tlm_followers_t;

/* The next word is `row`: find its followers, and those that it has after the word before. */
void tlm_ngram_step(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t row, int8_t *state);

/* Start reading the followers of a state. Every other word costs pair_backoff + triple_backoff + its own cost. */
void tlm_followers_start(const tlm_ngram_t *ngram, tlm_flash_t language, const int8_t *state, tlm_followers_t *followers);

/* The next followers, in the order of rows: `rows` and `costs`; among them may be such that `first` and `most` do not ask for,
 * which the caller may change in between. Returns how many; 0 when there are no more. */
uint8_t tlm_followers_read(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_followers_t *followers);

/* FNV-1a of a state's followers with their costs, then of the back-off, going on from `hash`. */
uint32_t tlm_ngram_hash(const tlm_ngram_t *ngram, tlm_flash_t language, const int8_t *state, uint32_t hash);

#ifdef __cplusplus
}
#endif
#endif
