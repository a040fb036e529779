/* Reads the packed n-gram in place. Knows bits and rows; knows nothing of letters or of the line. */
#include "tlm_ngram.h"

#include "tlm_bits.h"
#include "tlm_hash.h"

#include <string.h>

enum {
    INDEX_BYTES = 6,             /* of a block: u16 first row, u24 byte in the stream, u8 contexts */
    INDEX_BYTE = 2,
    INDEX_CONTEXTS = 5,
    PAIR_BOOKS = 4,
    GROUPED_PAIRS = 64,          /* so many are in groups of PAIRS */
    PAIRS = 32,
    GROUPED_BEFORES = 32,        /* words before, too */
    BEFORES = 16
};

static const uint16_t NO_RANK = 0xFFFF; /* ranks are below 65,535 */

static tlm_bits_t read_from(const tlm_ngram_t *ngram, tlm_flash_t language, uint32_t bit)
{
    /* The last two bytes are padding, so that 3 can be read wherever a bit is: stream_bytes is 2 or more. */
    const tlm_bits_t bits = {language + ngram->stream, bit, 8u * (ngram->stream_bytes - 2u)};
    return bits;
}

/* Of 1..8 bits. */
static uint16_t classes(uint8_t bits) { return (uint16_t)(1u << bits); }

/* The codebooks lie one after the other: PAIR_BOOKS of pairs, triples, back-off of a word, back-off of two. A word of
 * few followers has dear ones seldom: which book is its own depends on how many it has, 1.., 4.., 16.., 64... */
static tlm_flash_t pair_costs(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t pairs)
{
    const uint16_t book = pairs < 4 ? 0 : pairs < 16 ? 1 : pairs < 64 ? 2 : PAIR_BOOKS - 1;
    return language + ngram->costs + book * classes(ngram->pair_bits);
}

static tlm_flash_t triple_costs(const tlm_ngram_t *ngram, tlm_flash_t language)
{
    return language + ngram->costs + PAIR_BOOKS * classes(ngram->pair_bits);
}

static uint8_t read_backoff(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_bits_t *bits, uint8_t words)
{
    const uint16_t other = words > 1 ? classes(ngram->backoff_bits) : 0;
    return tlm_flash_u8(triple_costs(ngram, language) + classes(ngram->triple_bits) + other +
                        tlm_bits_field(bits, ngram->backoff_bits));
}

/* Go past the members of a set and the fields behind them. */
static void skip_set(tlm_bits_t *bits, tlm_set_t set, uint8_t field_bits)
{
    tlm_bits_t at = *bits;
    uint16_t unused;

    while (set.left > 0 && !tlm_bits_broken(&at)) {
        (void)(TLM_SMALL ? tlm_set_read(&at, &set, field_bits, &unused) : tlm_set_next(&at, &set, field_bits, &unused));
    }
    *bits = at;
}

static tlm_groups_t group_pairs(const tlm_ngram_t *ngram, tlm_bits_t *bits, uint16_t pairs)
{
    return tlm_bits_groups(bits, ngram->rows, pairs, GROUPED_PAIRS, PAIRS);
}

static void skip_pairs(const tlm_ngram_t *ngram, tlm_bits_t *bits, uint16_t pairs)
{
    tlm_groups_t groups = group_pairs(ngram, bits, pairs);
    tlm_group_t group;

    while (tlm_groups_next(bits, &groups, ngram->pair_bits, &group)) {
        bits->bit += group.length;
        if (!group.known) {
            skip_set(bits, group.set, ngram->pair_bits);
        }
    }
}

/* Read the words before, of a word with so many followers, up to `before` or to the end. Returns whether it is there: the
 * reader is then at what follows the two. */
static bool find_before(const tlm_ngram_t *ngram, tlm_bits_t *bits, uint16_t pairs, uint16_t before)
{
    tlm_groups_t groups = tlm_bits_groups(bits, ngram->rows, (uint16_t)(tlm_bits_count(bits) - 1u), GROUPED_BEFORES, BEFORES);
    tlm_group_t group;
    uint16_t unused;

    while (tlm_groups_next(bits, &groups, 0, &group)) {
        if (group.known && before >= group.set.size) {
            bits->bit += group.length;
            continue;
        }
        while (group.set.left > 0 && !tlm_bits_broken(bits)) {
            if (tlm_group_read(bits, &group, 0, &unused) == before) {
                return true;
            }
            const uint16_t triples = tlm_bits_count(bits);
            (void)tlm_bits_field(bits, ngram->backoff_bits);
            skip_set(bits, tlm_bits_set(bits, 0, pairs, triples), ngram->triple_bits);
        }
    }
    return false;
}

/* Read the record at the reader: fills in what follows the state's last word, and what follows `before` and it. */
static void read_record(const tlm_ngram_t *ngram, tlm_flash_t language, uint16_t before, tlm_bits_t *bits,
                        tlm_ngram_state_t *state)
{
    state->pairs = tlm_bits_count(bits);
    state->pair_backoff = read_backoff(ngram, language, bits, 1);
    state->pairs_bit = bits->bit;
    skip_pairs(ngram, bits, state->pairs);
    if (find_before(ngram, bits, state->pairs, before)) {
        state->triples = tlm_bits_count(bits);
        state->triple_backoff = read_backoff(ngram, language, bits, 2);
        state->triples_bit = bits->bit;
    }
    if (tlm_bits_broken(bits)) { /* damaged: nothing follows */
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
    uint16_t unused;
    tlm_bits_t bits;
    tlm_set_t rows;

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
    bits = read_from(ngram, language, tlm_flash_u24(entry + INDEX_BYTE) << 3);
    rows = tlm_bits_set(&bits, (uint16_t)(row + 1u), end, (uint16_t)(tlm_flash_u8(entry + INDEX_CONTEXTS) - 1u)); /* the first is in the index */
    while (row < state->last && rows.left > 0 && !tlm_bits_broken(&bits)) {
        tlm_ngram_state_t passed;
        read_record(ngram, language, ngram->rows, &bits, &passed); /* no row before is this one */
        row = tlm_set_read(&bits, &rows, 0, &unused);
    }
    if (row == state->last && !tlm_bits_broken(&bits)) {
        read_record(ngram, language, before, &bits, state);
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

/* Read the next triple ahead, whose rank is NO_RANK when there is none. */
static void read_triple(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_followers_t *followers)
{
    tlm_bits_t bits = read_from(ngram, language, followers->triples_bit);
    uint16_t kind;

    followers->triple_rank = NO_RANK;
    if (followers->triples.left > 0) {
        const uint16_t rank = tlm_set_read(&bits, &followers->triples, ngram->triple_bits, &kind);
        followers->triple_cost = tlm_flash_u8(triple_costs(ngram, language) + kind);
        followers->triples_bit = bits.bit;
        if (!tlm_bits_broken(&bits)) {
            followers->triple_rank = rank;
        } else {
            followers->triples.left = 0;
        }
    }
}

void tlm_followers_start(const tlm_ngram_t *ngram, tlm_flash_t language, const int8_t *state, tlm_followers_t *followers)
{
    tlm_ngram_state_t now;
    tlm_bits_t bits;

    memcpy(&now, state, sizeof now);
    bits = read_from(ngram, language, now.pairs_bit);
    memset(followers, 0, sizeof *followers);
    followers->most = UINT16_MAX;
    followers->costs_at = pair_costs(ngram, language, now.pairs);
    followers->groups = group_pairs(ngram, &bits, now.pairs);
    followers->pair_backoff = now.pair_backoff;
    followers->triple_backoff = now.triple_backoff;
    followers->bit = bits.bit;
    followers->triples_bit = now.triples_bit;
    followers->triples = tlm_bits_set(&bits, 0, now.pairs, now.triples); /* the step read it: a set */
    read_triple(ngram, language, followers);
}

/* Of a class of pairs. */
static uint16_t cost_of(const tlm_followers_t *followers, uint16_t kind)
{
    return (uint16_t)(tlm_flash_u8(followers->costs_at + kind) + followers->triple_backoff);
}

/* Go to the next group that has any follower that is wanted. Returns false when there is none. */
static bool find_group(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_bits_t *bits, tlm_followers_t *followers)
{
    while (tlm_groups_next(bits, &followers->groups, ngram->pair_bits, &followers->group)) {
        const tlm_group_t *group = &followers->group;
        const uint16_t end_rank = (uint16_t)(followers->rank + group->set.left);
        if (!group->known || (group->set.size > followers->first && (cost_of(followers, group->head) <= followers->most ||
                                                                     followers->triple_rank < end_rank))) {
            return true;
        }
        bits->bit += group->length;
        followers->rank = end_rank;
        while (followers->triple_rank < end_rank) {
            read_triple(ngram, language, followers);
        }
    }
    return false;
}

uint8_t tlm_followers_read(const tlm_ngram_t *ngram, tlm_flash_t language, tlm_followers_t *followers)
{
    tlm_bits_t bits = read_from(ngram, language, followers->bit);
    uint8_t count = 0;

    if (followers->group.set.left > 0 || find_group(ngram, language, &bits, followers)) {
        tlm_set_t set;
        uint16_t kind;
        if (followers->group.known) {
            followers->rows[0] = tlm_group_read(&bits, &followers->group, ngram->pair_bits, &kind);
            followers->costs[0] = cost_of(followers, kind);
            count = 1;
        }
        for (set = followers->group.set; count < TLM_FOLLOWERS && set.left > 0; count++) {
            followers->rows[count] =
                TLM_SMALL ? tlm_set_read(&bits, &set, ngram->pair_bits, &kind) : tlm_set_next(&bits, &set, ngram->pair_bits, &kind);
            followers->costs[count] = cost_of(followers, kind);
        }
        followers->group.set = set;
    }
    followers->bit = bits.bit;
    if (tlm_bits_broken(&bits)) {
        followers->group.set.left = followers->groups.left = 0;
        return 0;
    }
    while (followers->triple_rank < followers->rank + count) {
        uint16_t *const cost = &followers->costs[followers->triple_rank - followers->rank];
        *cost = followers->triple_cost < *cost ? followers->triple_cost : *cost;
        read_triple(ngram, language, followers);
    }
    followers->rank = (uint16_t)(followers->rank + count);
    return count;
}

static uint32_t hash_u16(uint32_t hash, uint16_t value)
{
    return tlm_hash_byte(tlm_hash_byte(hash, (uint8_t)value), (uint8_t)(value >> 8));
}

uint32_t tlm_ngram_hash(const tlm_ngram_t *ngram, tlm_flash_t language, const int8_t *state, uint32_t hash)
{
    tlm_followers_t followers;
    uint8_t count;

    tlm_followers_start(ngram, language, state, &followers);
    while ((count = tlm_followers_read(ngram, language, &followers)) > 0) {
        for (uint8_t i = 0; i < count; i++) {
            hash = hash_u16(hash_u16(hash, followers.rows[i]), followers.costs[i]);
        }
    }
    return hash_u16(hash, (uint16_t)(followers.pair_backoff + followers.triple_backoff));
}

uint32_t tlm_hash_ngram(const tlm_engine_t *engine, const tlm_moment_t *moment, uint32_t hash)
{
    return tlm_ngram_hash(tlm_model_of(engine)->ngram, tlm_language_of(engine), moment->state, hash);
}
