#include "tlm_bits.h"

enum {
    LONGEST_COUNT_BITS = 15,
    LENGTH_BITS = 4,             /* tell a length's field: 1..16 bits */
    MOST_AT_ONCE = 16
};

/* The bits from here on, lowest first: 17 or more where there are so many. bits->bit is not beyond the end. */
static uint32_t peek(const tlm_bits_t *bits)
{
    /* 24 bits less the 0..7 before leave 17. */
    return tlm_flash_u24(bits->stream + (tlm_offset_t)(bits->bit >> 3)) >> (bits->bit & 7u);
}

uint16_t tlm_bits_field(tlm_bits_t *bits, uint8_t count)
{
    uint32_t window;

    if (count == 0) { /* at the end too, where there is no third byte */
        return 0;
    }
    if (bits->bit > bits->end || count > bits->end - bits->bit) {
        bits->bit = bits->end + 1u;
        return 0;
    }
    window = peek(bits);
    bits->bit += count;
    return (uint16_t)(window & ((1UL << count) - 1u));
}

/* How many ones there are before a zero, or `most`, after which no zero is written. */
static uint16_t read_unary(tlm_bits_t *bits, uint16_t most)
{
    uint16_t ones = 0;

    while (ones < most) {
        const uint32_t left = tlm_bits_broken(bits) ? 0 : bits->end - bits->bit;
        const uint8_t count = (uint8_t)(left < MOST_AT_ONCE ? left : MOST_AT_ONCE);
        uint32_t window = count > 0 ? peek(bits) : 0; /* at the end there is no third byte */
        uint8_t read = 0;
        for (; read < count && ones < most && (window & 1u) != 0; read++, ones++) {
            window >>= 1;
        }
        bits->bit += read;
        if (ones < most && read < count) { /* the zero */
            bits->bit++;
            break;
        }
        if (ones < most && count < MOST_AT_ONCE) {
            bits->bit = bits->end + 1u;
            break;
        }
    }
    return ones;
}

uint16_t tlm_bits_count(tlm_bits_t *bits)
{
    const uint8_t longer = (uint8_t)read_unary(bits, LONGEST_COUNT_BITS);
    return (uint16_t)((1u << longer) + tlm_bits_field(bits, longer));
}

tlm_set_t tlm_bits_set(tlm_bits_t *bits, uint16_t first, uint16_t size, uint16_t count)
{
    tlm_set_t set = {first, size, count, 0};

    if (first > size || count > size - first) {
        bits->bit = bits->end + 1u;
        set.left = 0;
    }
    return set;
}

uint16_t tlm_bits_member(tlm_bits_t *bits, uint8_t width, uint16_t most, uint8_t count, uint16_t *field)
{
    uint16_t number = (uint16_t)(read_unary(bits, most) << width);

    number = (uint16_t)(number + tlm_bits_field(bits, width));
    *field = tlm_bits_field(bits, count);
    return number;
}

uint16_t tlm_set_read(tlm_bits_t *bits, tlm_set_t *set, uint8_t count, uint16_t *field)
{
    return tlm_set_next(bits, set, count, field);
}

tlm_groups_t tlm_bits_groups(tlm_bits_t *bits, uint16_t size, uint16_t count, uint16_t least, uint8_t each)
{
    tlm_groups_t groups = {{0, size, 0, 0}, 0, count, 0, each};
    uint16_t unused;

    if (count >= least) {
        groups.length_bits = (uint8_t)(tlm_bits_field(bits, LENGTH_BITS) + 1u);
        groups.firsts = tlm_bits_set(bits, 0, size, (uint16_t)((count - 1u) / each + 1u));
        if (groups.firsts.left > 0) {
            groups.first = tlm_set_read(bits, &groups.firsts, 0, &unused);
        }
    }
    return groups;
}

bool tlm_groups_next(tlm_bits_t *bits, tlm_groups_t *groups, uint8_t head_bits, tlm_group_t *group)
{
    const uint16_t count = groups->length_bits == 0 || groups->left < groups->each ? groups->left : groups->each;
    uint16_t end = groups->firsts.size;
    uint16_t unused;

    if (count == 0 || tlm_bits_broken(bits)) {
        return false;
    }
    if (groups->firsts.left > 0) {
        end = tlm_set_read(bits, &groups->firsts, 0, &unused);
    }
    group->head = group->length = 0;
    group->known = groups->length_bits > 0;
    if (group->known) {
        group->head = tlm_bits_field(bits, head_bits);
        group->length = tlm_bits_field(bits, groups->length_bits);
    }
    group->set = tlm_bits_set(bits, groups->first, end, count);
    groups->left = (uint16_t)(groups->left - count);
    groups->first = end;
    return group->set.left > 0;
}

uint16_t tlm_group_read(tlm_bits_t *bits, tlm_group_t *group, uint8_t count, uint16_t *field)
{
    if (!group->known) {
        return tlm_set_read(bits, &group->set, count, field);
    }
    group->known = false;
    group->set.left--;
    *field = tlm_bits_field(bits, count);
    return group->set.next++;
}
