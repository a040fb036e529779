/* Reads the packed n-gram in place. Knows bits and rows; knows nothing of letters or of the line. */
#include "tlm_ngram.h"

#include "tlm_hash.h"

#include <string.h>

enum {
    INDEX_BYTES = 6,             /* of a block: u16 first row, u24 byte in the stream, u8 contexts */
    INDEX_BYTE = 2,
    INDEX_CONTEXTS = 5,
    LONGEST_COUNT_BITS = 15,
    PAIR_BOOKS = 4,
    MOST_AT_ONCE = 16
};

static const uint16_t NO_RANK = 0xFFFF; /* ranks are below 65,535 */

/* Where one reads. `bit` beyond `end` means that the stream was too short: everything read from then on is 0. */
typedef struct {
    tlm_flash_t stream;
    uint32_t bit, end;
} reader_t;

/* A sorted set of different numbers, of which `left` are still to be read. */
typedef struct {
    uint16_t next, size, left;   /* least number that may come; all are below size */
    uint8_t width;               /* of the number before's field, which is near to the next one's; 0 at first */
} set_t;

static reader_t read_from(const tlm_ngram_t *ngram, tlm_flash_t language, uint32_t bit)
{
    /* The last two bytes are padding, so that 3 can be read wherever a bit is: stream_bytes is 2 or more. */
    const reader_t reader = {language + ngram->stream, bit, 8u * (ngram->stream_bytes - 2u)};
    return reader;
}

static bool is_broken(const reader_t *reader) { return reader->bit > reader->end; }

/* The bits from here on, lowest first: 17 or more where there are so many. reader->bit is not beyond the end. */
static uint32_t peek(const reader_t *reader)
{
    /* 24 bits less the 0..7 before leave 17. */
    return tlm_flash_u24(reader->stream + (tlm_offset_t)(reader->bit >> 3)) >> (reader->bit & 7u);
}

/* The next `count` (0..16) bits. */
static uint16_t read_field(reader_t *reader, uint8_t count)
{
    uint32_t window;

    if (count == 0) { /* at the end too, where there is no third byte */
        return 0;
    }
    if (reader->bit > reader->end || count > reader->end - reader->bit) {
        reader->bit = reader->end + 1u;
        return 0;
    }
    window = peek(reader);
    reader->bit += count;
    return (uint16_t)(window & ((1UL << count) - 1u));
}

/* How many ones there are before a zero, or `most`, after which no zero is written. */
static uint16_t read_unary(reader_t *reader, uint16_t most)
{
    uint16_t ones = 0;

    while (ones < most) {
        const uint32_t left = is_broken(reader) ? 0 : reader->end - reader->bit;
        const uint8_t count = (uint8_t)(left < MOST_AT_ONCE ? left : MOST_AT_ONCE);
        uint32_t window = count > 0 ? peek(reader) : 0; /* at the end there is no third byte */
        uint8_t read = 0;
        for (; read < count && ones < most && (window & 1u) != 0; read++, ones++) {
            window >>= 1;
        }
        reader->bit += read;
        if (ones < most && read < count) { /* the zero */
            reader->bit++;
            break;
        }
        if (ones < most && count < MOST_AT_ONCE) {
            reader->bit = reader->end + 1u;
            break;
        }
    }
    return ones;
}

/* floor(log2(room / left)), or 0 where that is below 0; from what it was for the number before. */
static uint8_t width_of(const set_t *set, uint16_t room)
{
    uint8_t width = set->width; /* at most 15 */

    while (((uint32_t)set->left << width) << 1 <= room) {
        width++;
    }
    while (width > 0 && (uint32_t)set->left << width > room) {
        width--;
    }
    return width;
}

/* 1..65,535: Elias gamma, its length in unary. */
static uint16_t read_count(reader_t *reader)
{
    const uint8_t longer = (uint8_t)read_unary(reader, LONGEST_COUNT_BITS);
    return (uint16_t)((1u << longer) + read_field(reader, longer));
}

/* The next number of the set, set->left being 1 or more. A set that is larger than its size, as in damaged bytes, breaks
 * the reader. */
static uint16_t read_number(reader_t *reader, set_t *set)
{
    const uint16_t spare = (uint16_t)(set->left - 1u);
    uint16_t room, number;
    uint8_t width;

    if (set->next >= set->size || spare >= (uint16_t)(set->size - set->next)) {
        reader->bit = reader->end + 1u;
        return 0;
    }
    room = (uint16_t)(set->size - set->next - spare); /* values that the gap may have: 1 or more */
    width = set->width = width_of(set, room);
    number = (uint16_t)(read_unary(reader, (uint16_t)((room - 1u) >> width)) << width);
    number = (uint16_t)(number + read_field(reader, width));
    if (number >= room) { /* only in damaged bytes */
        number = (uint16_t)(room - 1u);
    }
    number = (uint16_t)(number + set->next);
    set->next = (uint16_t)(number + 1u); /* number is below size: no overflow */
    set->left = spare;
    return number;
}

/* Of 1..8 bits. */
static uint16_t classes(uint8_t bits) { return (uint16_t)(1u << bits); }

/* The codebooks lie one after the other: PAIR_BOOKS of pairs, triples, back-off of a word, back-off of two. A word of
 * few followers has dear ones seldom: which book is its own depends on how many it has, 1.., 4.., 16.., 64... */
static uint8_t read_pair_cost(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t all, reader_t *reader)
{
    const uint16_t book = all < 4 ? 0 : all < 16 ? 1 : all < 64 ? 2 : PAIR_BOOKS - 1;
    return tlm_flash_u8(language + ngram->costs + book * classes(ngram->pair_bits) +
                        read_field(reader, ngram->pair_bits));
}

static uint8_t read_triple_cost(const tlm_ngram_t *ngram, tlm_flash_t language, reader_t *reader)
{
    return tlm_flash_u8(language + ngram->costs + PAIR_BOOKS * classes(ngram->pair_bits) +
                        read_field(reader, ngram->triple_bits));
}

static uint8_t read_backoff(const tlm_ngram_t *ngram, tlm_flash_t language, reader_t *reader, uint8_t words)
{
    const uint16_t books = (uint16_t)(PAIR_BOOKS * classes(ngram->pair_bits) + classes(ngram->triple_bits));
    const uint16_t other = words > 1 ? classes(ngram->backoff_bits) : 0;
    return tlm_flash_u8(language + ngram->costs + books + other + read_field(reader, ngram->backoff_bits));
}

/* Go past the followers of a context, of which `all` are possible, with costs of `bits`. */
static void skip_followers(reader_t *reader, uint16_t count, uint16_t all, uint8_t bits)
{
    set_t set = {0, all, count, 0};

    while (set.left > 0 && !is_broken(reader)) {
        (void)read_number(reader, &set);
        (void)read_field(reader, bits);
    }
}

/* Read the record at the reader: fills in what follows the state's last word, and what follows `before` and it. */
static void read_record(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t before, reader_t *reader,
                        tlm_ngram_state_t *state)
{
    set_t befores = {0, ngram->rows, 0, 0};

    state->pairs = read_count(reader);
    state->pair_backoff = read_backoff(ngram, language, reader, 1);
    state->pairs_bit = reader->bit;
    skip_followers(reader, state->pairs, ngram->rows, ngram->pair_bits);
    befores.left = (uint16_t)(read_count(reader) - 1u);
    while (befores.left > 0 && !is_broken(reader)) {
        const uint16_t row = read_number(reader, &befores);
        const uint16_t count = read_count(reader);
        const uint8_t backoff = read_backoff(ngram, language, reader, 2);
        if (row == before) {
            state->triples = count;
            state->triple_backoff = backoff;
            state->triples_bit = reader->bit;
        }
        skip_followers(reader, count, state->pairs, ngram->triple_bits);
    }
    if (is_broken(reader)) { /* damaged: nothing follows */
        state->pairs = state->triples = 0;
        state->pair_backoff = state->triple_backoff = 0;
    }
}

static tlm_flash_t index_entry(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t block)
{
    return language + ngram->index + (tlm_offset_t)block * INDEX_BYTES;
}

static uint16_t block_row(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t block)
{
    return block < ngram->blocks ? tlm_flash_u16(index_entry(ngram, language, block)) : ngram->rows;
}

static void find_record(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t before, tlm_ngram_state_t *state)
{
    uint16_t low = 0;
    uint16_t high = ngram->blocks;
    uint16_t row, end;
    tlm_flash_t entry;
    reader_t reader;
    set_t rows = {0, 0, 0, 0};

    /* The last block that starts at the row or before it. */
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)(low + (uint16_t)(high - low) / 2u);
        if (block_row(ngram, language, middle) <= state->last) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (ngram->blocks == 0) {
        return;
    }
    entry = index_entry(ngram, language, low);
    row = tlm_flash_u16(entry);
    end = block_row(ngram, language, (uint16_t)(low + 1u));
    reader = read_from(ngram, language, tlm_flash_u24(entry + INDEX_BYTE) << 3);
    rows.size = (uint16_t)(end > row ? end - row - 1u : 0);
    rows.left = tlm_flash_u8(entry + INDEX_CONTEXTS);
    rows.left = (uint16_t)(rows.left > 0 ? rows.left - 1 : 0); /* the first is in the index */
    while (row < state->last && rows.left > 0 && !is_broken(&reader)) {
        tlm_ngram_state_t passed;
        read_record(ngram, language, ngram->rows, &reader, &passed); /* no row before is this one */
        row = (uint16_t)(tlm_flash_u16(entry) + 1u + read_number(&reader, &rows));
    }
    if (row == state->last && !is_broken(&reader)) {
        read_record(ngram, language, before, &reader, state);
    }
}

void tlm_ngram_step(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t row, int8_t *state)
{
    tlm_ngram_state_t now;
    uint16_t before;

    memcpy(&now, state, sizeof now);
    before = now.last;
    memset(&now, 0, sizeof now);
    now.last = row;
    find_record(ngram, language, before, &now);
    memcpy(state, &now, sizeof now);
}

void tlm_followers_start(const int8_t *state, tlm_followers_t *followers)
{
    tlm_ngram_state_t now;

    memcpy(&now, state, sizeof now);
    memset(followers, 0, sizeof *followers);
    followers->pairs_bit = now.pairs_bit;
    followers->triples_bit = now.triples_bit;
    followers->pairs = followers->all = now.pairs;
    followers->triples = now.triples;
    followers->pair_backoff = now.pair_backoff;
    followers->triple_backoff = now.triple_backoff;
    followers->triple_rank = NO_RANK;
}

/* Read the next triple ahead: there is one, and the one before was used. */
static void read_triple(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_followers_t *followers)
{
    reader_t reader = read_from(ngram, language, followers->triples_bit);
    set_t set = {followers->next_rank, followers->all, followers->triples, followers->triple_width};

    followers->triple_rank = read_number(&reader, &set);
    followers->triple_cost = read_triple_cost(ngram, language, &reader);
    followers->next_rank = set.next;
    followers->triples = set.left;
    followers->triple_width = set.width;
    followers->triples_bit = reader.bit;
    if (is_broken(&reader)) {
        followers->triple_rank = NO_RANK;
        followers->triples = 0;
    }
}

bool tlm_followers_next(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_followers_t *followers)
{
    reader_t reader = read_from(ngram, language, followers->pairs_bit);
    set_t set = {followers->next, ngram->rows, followers->pairs, followers->pair_width};

    if (followers->pairs == 0) {
        return false;
    }
    if (followers->triple_rank == NO_RANK && followers->triples > 0) {
        read_triple(ngram, language, followers);
    }
    followers->row = read_number(&reader, &set);
    followers->cost = (uint16_t)(read_pair_cost(ngram, language, followers->all, &reader) + followers->triple_backoff);
    if (is_broken(&reader)) {
        followers->pairs = 0;
        return false;
    }
    if (followers->rank == followers->triple_rank) {
        if (followers->triple_cost < followers->cost) {
            followers->cost = followers->triple_cost;
        }
        followers->triple_rank = NO_RANK;
    }
    followers->rank++;
    followers->next = set.next;
    followers->pairs = set.left;
    followers->pair_width = set.width;
    followers->pairs_bit = reader.bit;
    return true;
}

static uint32_t hash_u16(uint32_t hash, uint16_t value)
{
    return tlm_hash_byte(tlm_hash_byte(hash, (uint8_t)value), (uint8_t)(value >> 8));
}

uint32_t tlm_ngram_hash(const tlm_ngram_t *ngram, tlm_flash_t language, const int8_t *state, uint32_t hash)
{
    tlm_followers_t followers;

    tlm_followers_start(state, &followers);
    while (tlm_followers_next(ngram, language, &followers)) {
        hash = hash_u16(hash_u16(hash, followers.row), followers.cost);
    }
    return hash_u16(hash, (uint16_t)(followers.pair_backoff + followers.triple_backoff));
}

uint32_t tlm_hash_ngram(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash)
{
    return tlm_ngram_hash(tlm_model_of(engine)->ngram, tlm_language_of(engine), moment->state, hash);
}
