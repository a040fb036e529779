/* The codes of the packed n-gram's stream: fields, counts, sorted sets, sets in groups that can be passed over.
 * docs/SPEC-ngram.md has each of them. Knows bits; knows no words and no costs. */
#ifndef TLM_BITS_H
#define TLM_BITS_H

#include "tinylm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where one reads. `bit` beyond `end` means that the stream was too short: everything read from then on is 0. */
typedef struct {
    tlm_flash_t stream;          /* two bytes more can be read than `end` says */
    uint32_t bit, end;
} tlm_bits_t;

/* A sorted set of different numbers, of which `left` are still to be read: at most size - next. */
typedef struct {
    uint16_t next, size, left;   /* least number that may come; all are below size */
    uint8_t width;               /* of the number before's field, which is near to the next one's; 0 at first */
} tlm_set_t;

/* A set that is cut into groups, unless it is short: what comes after the group at hand. */
typedef struct {
    tlm_set_t firsts;            /* the first members of further groups */
    uint16_t first, left;        /* of the next group; members in it and after it */
    uint8_t length_bits;         /* 0: the set is short, and one group without a head */
    uint8_t each;                /* members of a group, but for the last one */
} tlm_groups_t;

typedef struct {
    tlm_set_t set;               /* its members; the first of a group with a head is known, and no bits */
    bool known;                  /* that one is still to come: it is set.next */
    uint16_t head;               /* its field; 0 without a head */
    uint16_t length;             /* bits to its end; 0 without a head */
} tlm_group_t;

static inline bool tlm_bits_broken(const tlm_bits_t *bits) { return bits->bit > bits->end; }

/* The next `count` (0..16) bits. */
uint16_t tlm_bits_field(tlm_bits_t *bits, uint8_t count);

/* 1..65,535: Elias gamma, its length in unary. */
uint16_t tlm_bits_count(tlm_bits_t *bits);

/* A set of `count` numbers from `first` on, below size. One that is larger than its size, as in damaged bytes, breaks the
 * reader and is empty. */
tlm_set_t tlm_bits_set(tlm_bits_t *bits, uint16_t first, uint16_t size, uint16_t count);

/* What tlm_set_read does in the end: the gap before a number, and the field behind it. */
uint16_t tlm_bits_member(tlm_bits_t *bits, uint8_t width, uint16_t most, uint8_t count, uint16_t *field);

/* A set of `count` members below size, in groups of `each` when it has `least` or more. */
tlm_groups_t tlm_bits_groups(tlm_bits_t *bits, uint16_t size, uint16_t count, uint16_t least, uint8_t each);

/* The group's next member and the field behind it; group->set.left is 1 or more. */
uint16_t tlm_group_read(tlm_bits_t *bits, tlm_group_t *group, uint8_t count, uint16_t *field);

/* The next group, whose head has a field of `head_bits`. Returns false when there is none. */
bool tlm_groups_next(tlm_bits_t *bits, tlm_groups_t *groups, uint8_t head_bits, tlm_group_t *group);

/* The number that is `gap` above the least that may come becomes the next one; `room` values are possible. */
static inline uint16_t tlm_set_take(tlm_set_t *set, uint16_t room, uint16_t gap)
{
    const uint16_t number = (uint16_t)(set->next + (gap < room ? gap : room - 1u)); /* more only in damaged bytes */

    set->next = (uint16_t)(number + 1u); /* number is below size: no overflow */
    set->left--;
    return number;
}

/* The next number of the set, set->left being 1 or more, and the field of `count` (0..8) bits behind it. */
uint16_t tlm_set_read(tlm_bits_t *bits, tlm_set_t *set, uint8_t count, uint16_t *field);

/* tlm_set_read inside of a loop that reads many. Mostly all of it lies in 25 bits that are read at once. */
static inline uint16_t tlm_set_next(tlm_bits_t *bits, tlm_set_t *set, uint8_t count, uint16_t *field)
{
    const uint16_t room = (uint16_t)(set->size - set->next - (set->left - 1u)); /* values that the gap may have: 1 or more */
    uint8_t width = set->width; /* floor(log2(room / left)), or 0 where that is below 0: at most 15 */
    uint16_t most, high;

    while ((uint32_t)set->left << width << 1 <= room) {
        width++;
    }
    while (width > 0 && (uint32_t)set->left << width > room) {
        width--;
    }
    set->width = width;
    most = (uint16_t)((room - 1u) >> width);
    if (!TLM_SMALL && bits->bit + 32u <= bits->end) {
        uint32_t window = tlm_flash_u32(bits->stream + (tlm_offset_t)(bits->bit >> 3)) >> (bits->bit & 7u);
        uint8_t used = (uint8_t)(width + count);
        for (high = 0; (window & 1u) != 0 && high < most; high++) {
            window >>= 1;
        }
        used = (uint8_t)(used + high);
        if (high < most) { /* the zero */
            window >>= 1;
            used++;
        }
        if (used <= 25) { /* 32 bits less the 0..7 before; at most 15 + 8 + 32 + 1 */
            bits->bit += used;
            *field = (uint16_t)((window >> width) & ((1UL << count) - 1u));
            return tlm_set_take(set, room, (uint16_t)((uint16_t)(high << width) + (window & ((1UL << width) - 1u))));
        }
    }
    {
        tlm_bits_t far = *bits; /* a copy, so that *bits may stay in registers */
        uint16_t read;
        high = tlm_bits_member(&far, width, most, count, &read);
        *field = read;
        *bits = far;
    }
    return tlm_set_take(set, room, high);
}

#ifdef __cplusplus
}
#endif
#endif
