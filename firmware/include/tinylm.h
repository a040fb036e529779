/* tinylm: predictive text on microcontrollers. The whole public C API; open this file first.
 *
 * A `tlm_engine_t` follows one line of text that a person types and offers words for it. The caller owns all state:
 * there is no heap, no stdio, no floating point, no recursion. Every function returns 0 or more on success and one of
 * `enum tlm_err` (below 0) otherwise. Same model, same bytes typed: same suggestions on every chip, bit for bit.
 *
 *     static tlm_engine_t engine;
 *     tlm_engine_init(&engine, &tlm_model, tlm_port_language());
 *     tlm_feed(&engine, 'h');
 *     int n = tlm_suggest(&engine, 3);        // engine.suggestions[0..n-1]
 *     tlm_accept(&engine, 0);                 // types the rest of the word and a space
 */
#ifndef TINYLM_H
#define TINYLM_H

#include <stdbool.h>
#include <stdint.h>

#include "tlm_offset.h"
#include "tlm_port.h"  /* tlm_flash_t: how this chip points into its flash */
#include "tlm_sizes.h" /* generated: TLM_STATE_BYTES, TLM_CONTEXT_BYTES, TLM_SCRATCH_BYTES, TLM_HISTORY, TLM_LINE_BYTES,
                        * and these macros, where they are not as below */
#ifndef TLM_BEAM
#define TLM_BEAM 1            /* character kind: the spellings that are followed at once */
#endif
#ifndef TLM_LETTER_BYTES
#define TLM_LETTER_BYTES 2    /* the longest letter of the alphabet in UTF-8 */
#endif
#ifndef TLM_LARGEST_LIST
#define TLM_LARGEST_LIST 5    /* suggestions that there is RAM for, 1..5 */
#endif
#ifndef TLM_SMALL
#define TLM_SMALL 0           /* 1: code is short rather than fast, and every engine's model is tlm_model, so that its
                               * numbers are known to the compiler */
#endif

#ifndef TLM_PASSED_WORDS
#define TLM_PASSED_WORDS 16   /* of those that were shown for a word and not taken, so many are known */
#endif

#if TLM_LETTER_BYTES == 1
typedef uint8_t tlm_letter_t;
#else
typedef uint16_t tlm_letter_t;  /* a letter's code point, below U+0800 */
#endif

#ifndef TLM_LANGUAGE_AT
#define TLM_LANGUAGE_AT(language) (language) /* a port that knows where the language is may say so */
#endif

#define TLM_MAX_UNITS 2000000L /* largest units_per_nat: 999 times it stays below 2^31 */

#define TLM_NOT_KNOWN 0xFFFFU

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_WORD_LETTERS = 24,     /* longest word of a model, in letters */
    TLM_WORD_BYTES = TLM_WORD_LETTERS * TLM_LETTER_BYTES + 1, /* such a word in UTF-8 and a final zero */
    TLM_MAX_SUGGESTIONS = TLM_LARGEST_LIST,
    TLM_MAX_LETTERS = 64,      /* in an alphabet */
    TLM_ROW_BOUNDARY = 0,      /* word kind: the row of a line's start; character kind: the symbol of its end */
    TLM_ROW_UNKNOWN = 1,       /* word kind: a word without a row; character kind: the symbol of the space */
    TLM_FIRST_ROW = 2,
    TLM_SPELLING_STEPS = 64,   /* character kind: network steps that one tlm_suggest may search with */
    TLM_NGRAM_STATE_BYTES = 16, /* n-gram kind: all of the state; mixture: what follows the network's */
    TLM_MEMORY_LEAST = 128     /* bytes of a user memory */
};

/* Names and texts are also read by the host: tinylm/statuses.py parses this table, so it is written once. */
enum tlm_err {
    TLM_ERR_RANGE = -1,    /* a rank, count or length is out of its range */
    TLM_ERR_EMPTY = -2,    /* nothing to take back, or no suggestion was made */
    TLM_ERR_FULL = -3,     /* the line is longer than the engine can hold */
    TLM_ERR_MODEL = -4,    /* the language bytes are not the ones that the firmware was built for */
    TLM_ERR_FRAME = -5,    /* a frame's check or length is wrong */
    TLM_ERR_UNKNOWN = -6,  /* no such request */
    TLM_ERR_FIRMWARE = -7  /* the model was built for another firmware */
};

/* A packed sorted list of words. All offsets are bytes from the start of the language. docs/SPEC-lexicon.md has the
 * format. The character kind has no words: only `letters` counts. */
typedef struct {
    tlm_offset_t index;        /* blocks: u24 byte in the stream, u16 first row, u8 lowest level of a lexicon-only word */
    tlm_offset_t stream;       /* the Huffman-coded words */
    tlm_offset_t codes;        /* canonical codes by context: prefix lengths, letters, levels */
    uint16_t words;            /* how many */
    uint16_t rows;             /* how many of them have a network row (level 0) */
    uint8_t block_words;       /* words in a block */
    uint8_t letters;           /* letters of the alphabet; letter codes are 1..letters, 0 ends a word */
    uint8_t levels;            /* of the words without a row: 1..levels, at most 31 */
    const int32_t *level_units; /* of level 1..: what its words score beside the unknown word (n-gram kind: cost beside the
                                * back-off), within +-2^28 */
} tlm_lexicon_t;

/* A packed n-gram: what follows a word, and two words. All offsets are bytes from the start of the language.
 * docs/SPEC-ngram.md has the format. */
typedef struct {
    tlm_offset_t costs;        /* codebooks of pairs, triples and back-offs, 2^bits bytes each: 16ths of a nat */
    tlm_offset_t index;        /* blocks: u16 first row, u24 byte in the stream, u8 contexts */
    tlm_offset_t stream;       /* a record for each word that has followers */
    uint32_t stream_bytes;     /* 2 or more */
    uint16_t rows;             /* numbers that words can have: the lexicon's words + TLM_FIRST_ROW, in a mixture also its rows */
    uint16_t blocks;
    uint8_t pair_bits, triple_bits, backoff_bits; /* of a class: 1..8 */
    int32_t share_units;       /* mixture kind: what a follower is worth beside the network, added to its score; else 0 */
} tlm_ngram_t;

/* The network: one step and the scores of a range of rows. Generated code provides the functions. The n-gram kind has
 * its step alone, which looks the next word up; its state says where that word's followers are. In a mixture `id` is a word's
 * number (docs/SPEC-mixture.md), and more lies in a moment's state after the network's. */
typedef struct {
    uint16_t state_bytes;      /* h, carried from word to word (character kind: letter to letter) */
    uint16_t context_bytes;    /* the last layer's input */
    uint16_t rows;             /* of the last layer */
    int32_t units_per_nat;     /* score units in one nat, 1..TLM_MAX_UNITS */
    /* One step: reads `id` and `state`, writes the next `state` in place and the `context` vector. */
    void (*step)(tlm_flash_t language, uint16_t id, int8_t *state, int8_t *context, int8_t *scratch);
    /* Scores (int32 accumulators, within +-2^30) of the rows first..first+count-1 into scores[0..count-1]. */
    void (*score)(tlm_flash_t language, const int8_t *context, uint16_t first, uint16_t count, int32_t *scores);
    /* The int8 logit of a row, as the .tflite's last op gives it. */
    int8_t (*logit)(tlm_flash_t language, const int8_t *context, uint16_t row);
    /* Makes of state_bytes zeros the state before a line; 0 where it is these. */
    void (*start)(int8_t *state);
} tlm_network_t;

typedef struct tlm_engine tlm_engine_t;

/* What the model knew after a word (character kind: after a letter); kept so that backspace is exact. */
typedef struct {
    int8_t state[TLM_STATE_BYTES];
    int8_t context[TLM_CONTEXT_BYTES];
    uint16_t line_bytes;       /* how many bytes of the line it has seen */
} tlm_moment_t;

/* Everything about a model but its language bytes. `tlm_model` is generated. */
typedef struct {
    const char *name;
    uint32_t hash;             /* of the model's files; the language's header holds it too */
    uint32_t language_bytes;   /* header included */
    const tlm_letter_t *alphabet; /* code points of letters 1.., in order */
    tlm_lexicon_t lexicon;
    tlm_network_t network;
    const tlm_ngram_t *ngram;  /* n-gram and mixture kind; else 0 */
    int (*suggest)(tlm_engine_t *engine, uint8_t count); /* tlm_suggest_words, _spelling, _ngram or _mixture */
    /* FNV-1a of what is known after a step, going on from `hash`: tlm_hash_network, tlm_hash_ngram or tlm_hash_mixture */
    uint32_t (*hash_moment)(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash);
    uint32_t self_test_hash;   /* of 8 recorded steps (tlm_self_test) */
} tlm_model_t;

extern const tlm_model_t tlm_model;

typedef struct {
    char text[TLM_WORD_BYTES]; /* the whole word in UTF-8, zero-terminated */
} tlm_suggestion_t;

/* Words that were shown for the word being typed and not taken, in the order in which they were (docs/SPEC-passed.md). */
typedef struct {
    uint8_t count;
    uint16_t line_bytes[TLM_PASSED_WORDS]; /* of the line, when each was first shown */
    tlm_offset_t keys[TLM_PASSED_WORDS];   /* which words (tlm_list.h) */
} tlm_passed_t;

/* Character kind: the beginning of a word that the search follows. */
typedef struct {
    int8_t state[TLM_STATE_BYTES];
    int32_t cost;              /* -log P of the letters after the typed ones, 256ths of a nat */
    uint8_t length;
    uint8_t letters[TLM_WORD_LETTERS]; /* letter codes */
} tlm_spelling_t;

/* What a user has typed, so that it is suggested sooner: the words of the last finished lines, as many as fit the caller's
 * bytes (docs/SPEC-memory.md). The bytes may be kept over power-off and opened again. */
typedef struct {
    const tlm_model_t *model;
    uint8_t *bytes;
    uint16_t size;             /* 0: too few to be a memory */
    uint16_t used;             /* of the bytes after the header */
} tlm_memory_t;

/* The fields are for reading; only the functions below change them. */
struct tlm_engine {
    const tlm_model_t *model;
    tlm_flash_t language;
    tlm_memory_t *memory;      /* 0: nothing is learned */
    uint32_t before_code;      /* the memory's code of the last word that was finished in the first before_bytes bytes */
    uint16_t before_bytes;     /* TLM_NOT_KNOWN: it was not looked up */
    uint8_t newest, moments;   /* moments may be 0, and the newest may lag behind the line: steps are taken when needed */
    uint16_t line_bytes;
    uint8_t pending_bytes;     /* of an unfinished character, in line[] after line_bytes */
    uint8_t suggestion_count;
    tlm_passed_t passed;
    char line[TLM_LINE_BYTES]; /* the line as typed, whole UTF-8 characters */
    tlm_moment_t history[TLM_HISTORY]; /* ring of the newest moments; history[newest] is current */
    tlm_suggestion_t suggestions[TLM_MAX_SUGGESTIONS];
    tlm_spelling_t beam[TLM_BEAM];
    int8_t scratch[TLM_SCRATCH_BYTES];
};

/* Start with an empty line. Checks the language's header (magic, length, hash) and that the model fits tlm_sizes.h; not
 * the CRC: see tlm_language_check. Returns 0 or TLM_ERR_MODEL. */
int tlm_engine_init(tlm_engine_t *engine, const tlm_model_t *model, tlm_flash_t language);

/* CRC-32 over all language bytes against the header. Returns 0 or TLM_ERR_MODEL. */
int tlm_language_check(const tlm_model_t *model, tlm_flash_t language);

/* Run the 8 recorded steps (ids 0, 1, 2, ... modulo rows, from a line's start) and hash what each leaves (tlm_network_hash).
 * Empties the line. Returns 0, or TLM_ERR_MODEL when the hash is not the recorded one. */
int tlm_self_test(tlm_engine_t *engine);

/* `steps` steps from a line's start with ids (start + i * stride) % rows; empties the line. Returns the FNV-1a hash of each
 * step's state, then its logits; n-gram kind: of each step's followers with their costs, then the back-off; mixture:
 * both, one after the other. */
uint32_t tlm_network_hash(tlm_engine_t *engine, uint16_t start, uint16_t stride, uint16_t steps);

/* One byte of typed UTF-8. A newline (10 or 13) ends the line and empties it; bytes 8 and 127 are tlm_backspace.
 * Letters of the alphabet (upper case too; U+2018, U+2019 and U+02BC count as ') form words; anything else separates
 * them. Bytes that are not UTF-8 are dropped. Returns 0, or TLM_ERR_FULL when the character does not fit into
 * TLM_LINE_BYTES (it is dropped), or what tlm_backspace returns. */
int tlm_feed(tlm_engine_t *engine, uint8_t byte);

/* Take back the last character (not byte) of the line. Exact: as if it had never been typed; only what was shown for a word is
 * forgotten once a list was made for a later one. Returns 0 or TLM_ERR_EMPTY. */
int tlm_backspace(tlm_engine_t *engine);

/* Empty the line. */
void tlm_reset(tlm_engine_t *engine);

/* The best `count` (1..TLM_MAX_SUGGESTIONS) words for what is typed so far, best first, in engine->suggestions.
 * They continue the word being typed and differ from it, and are written as the model has them (Paris). A word whose first
 * letter was typed otherwise than the alphabet has it (upper case) keeps its letters as typed. What is returned counts as shown: a word that
 * the person then types past is less likely in the next lists for this word. Returns how many there are, or TLM_ERR_RANGE. */
int tlm_suggest(tlm_engine_t *engine, uint8_t count);

/* Take suggestion `rank` (from 0) of the last tlm_suggest: the word being typed becomes it, and a space follows.
 * Returns the number of bytes now in the line, or TLM_ERR_EMPTY (none was made since the line changed), TLM_ERR_RANGE,
 * TLM_ERR_FULL (nothing is changed). */
int tlm_accept(tlm_engine_t *engine, uint8_t rank);

/* Make a user memory of bytes[0..size-1], which the caller owns and leaves alone while it is used. What they hold is kept when it
 * is a whole memory of this model; otherwise, and on the first use of any bytes, it is erased.
 * Returns the bytes used, 0 or more, or TLM_ERR_RANGE when size is below TLM_MEMORY_LEAST (tlm_memory_use then uses none). */
int tlm_memory_open(tlm_memory_t *memory, const tlm_model_t *model, uint8_t *bytes, uint16_t size);

/* Forget everything; no byte of it stays. */
void tlm_memory_erase(tlm_memory_t *memory);

/* Suggest with a memory (0: without) and learn the line at each newline; a line that tlm_reset empties is not learned.
 * The memory is of the engine's model, and outlives the engine or its next tlm_memory_use. */
void tlm_memory_use(tlm_engine_t *engine, tlm_memory_t *memory);

/* The ways to suggest; a model uses one, so only that one is linked. Call tlm_suggest: it checks `count`.
 * Words: one step a finished word, then the rows in the prefix's range are scored and the lexicon's blocks read whose
 * best level can enter the list. Spelling: one step a letter, then at most TLM_SPELLING_STEPS steps of search.
 * N-gram: one look-up a finished word, then the followers in the prefix's range are read, and the lexicon as by words.
 * Mixture: words and n-gram, and once a finished word the sum of all rows. */
int tlm_suggest_words(tlm_engine_t *engine, uint8_t count);
int tlm_suggest_spelling(tlm_engine_t *engine, uint8_t count);
int tlm_suggest_ngram(tlm_engine_t *engine, uint8_t count);
int tlm_suggest_mixture(tlm_engine_t *engine, uint8_t count);

/* An engine's model, language and memory: constants of a TLM_SMALL firmware, which learns nothing. */
static inline const tlm_model_t *tlm_model_of(const tlm_engine_t *engine)
{
    return TLM_SMALL ? &tlm_model : engine->model;
}

static inline tlm_flash_t tlm_language_of(const tlm_engine_t *engine)
{
    return TLM_SMALL ? TLM_LANGUAGE_AT(engine->language) : engine->language;
}

static inline tlm_memory_t *tlm_memory_of(const tlm_engine_t *engine) { return TLM_SMALL ? 0 : engine->memory; }

/* The kinds of hash_moment. */
uint32_t tlm_hash_network(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash);
uint32_t tlm_hash_ngram(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash);
uint32_t tlm_hash_mixture(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash);

#ifdef __cplusplus
}
#endif
#endif
