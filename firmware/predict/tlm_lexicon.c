/* Reads the packed lexicon in place. Knows bits and letter codes; knows nothing of the network or of UTF-8. */
#include "tlm_lexicon.h"

enum {
    INDEX_BYTES = 5,            /* of a block: u24, 19 bits of which are its byte in the stream, then 5 its lowest level; u16 row */
    INDEX_LEVEL = 2,
    LEVEL_SHIFT = 3,
    INDEX_ROW = 3,
    HAS_TABLE = 64,             /* in a code's first byte: */
    TABLE_BITS = 4,
    TABLE_BYTES = 1 << TABLE_BITS, /* before the code: an entry for whatever the next bits are */
    TABLE_PLACE = 8,            /* an entry is so many times a symbol's place, and its bits; or of a longer one so many times `rest` */
    /* Contexts that choose a code: 1..TLM_WORD_LETTERS is the prefix length after a word of so many letters. */
    LEVEL_CONTEXT = 0,
    LETTER_CONTEXT = TLM_WORD_LETTERS + 1, /* + 2 * letter before */
    FIRST_LETTER = LETTER_CONTEXT + 1      /* after the shared prefix: + 2 * the letter that the word before has there, or 0 */
};

#define STREAM_MASK 0x7FFFFUL /* the 19 bits; a constant would be in RAM on AVR */

/* Both are constants of a TLM_SMALL firmware. */
static inline const tlm_lexicon_t *own(const tlm_lexicon_t *lexicon) { return TLM_SMALL ? &tlm_model.lexicon : lexicon; }

static inline tlm_flash_t base(tlm_flash_t language)
{
    return TLM_SMALL ? TLM_LANGUAGE_AT(language) : language;
}

static inline void pass(tlm_bit_t *next, uint_fast16_t bits)
{
    const uint_fast16_t read = next->bit + bits; /* at most 7 + 16 */

    next->at += read >> 3;
    next->bit = read & 7u;
}

/* The bits to come, the next one lowest: 24 less the 0..7 already read are 17 or more. Two bytes follow the last block. Narrower than a
 * register, they would be cut to 16 bits whenever they are moved. */
static inline uint_fast16_t look(const tlm_bit_t *next)
{
    return (uint_fast16_t)(tlm_flash_u24(next->at) >> next->bit);
}

static inline tlm_flash_t codes_of(const tlm_lexicon_t *lexicon, tlm_flash_t language)
{
    return base(language) + own(lexicon)->codes;
}

/* The next symbol of the stream, in the one of `codes` that `context` chooses; `next` moves past it.
 * Canonical Huffman, what is longer than the code's table a bit at a time (after Adler's puff.c): all code words of a length are
 * consecutive numbers. Inline, as a call is a tenth of the time; gcc finds it too long. */
static inline __attribute__((always_inline)) uint8_t decode(tlm_flash_t codes, uint_fast16_t context, tlm_bit_t *next)
{
    tlm_flash_t counts = codes + tlm_flash_u16(codes + (tlm_offset_t)(2u * context));
    uint_fast16_t longest = tlm_flash_u8(counts);
    tlm_flash_t symbols;
    uint_fast16_t window, length = 0;
    uint_fast16_t rest = 0; /* the bits so far, less the first code word of this length: below 2^16 as none has more than 16 bits */

    if (!TLM_SMALL && (longest & HAS_TABLE) != 0) {
        uint_fast16_t entry;
        window = look(next);
        entry = tlm_flash_u8(counts - TABLE_BYTES + window % TABLE_BYTES);
        rest = entry / TABLE_PLACE;
        length = entry % TABLE_PLACE;
        if (length != 0) {
            pass(next, length);
            return tlm_flash_u8(counts + 2 + rest);
        }
        longest -= HAS_TABLE;
        length = TABLE_BITS;
        window /= TABLE_BYTES;
        symbols = counts + tlm_flash_u8(counts + 1);
        counts += 2;
    } else {
        counts++;
        symbols = counts + longest;
        if (longest == 0) {
            return tlm_flash_u8(symbols); /* the only symbol takes no bits */
        }
        window = look(next);
    }
    while (length++ < longest) {
        const uint8_t count = tlm_flash_u8(counts++);
        rest = (uint_fast16_t)((uint_fast16_t)(rest << 1) | (window & 1u));
        window = (uint_fast16_t)(window >> 1);
        if (rest < count) {
            pass(next, length);
            return tlm_flash_u8(symbols + rest);
        }
        rest = (uint_fast16_t)(rest - count);
        symbols += count;
    }
    return 0; /* not in bytes whose CRC is right; 0 ends a word, so that damaged ones cannot loop */
}

/* Read the word at cursor->next. `context` is that of its first symbol: FIRST_LETTER in a block's first word, else the length of the
 * word before it, which is in the cursor: the length of what they share is read first. */
static void read_word(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint_fast16_t context, tlm_cursor_t *cursor)
{
    const tlm_flash_t codes = codes_of(lexicon, language);
    tlm_bit_t next = cursor->next; /* in registers */
    uint_fast8_t length = 0;
    uint8_t symbol;

    cursor->shared = 0;
    for (;;) {
        symbol = decode(codes, context, &next);
        if (context > TLM_WORD_LETTERS) {
            if (symbol != 0 && length < TLM_WORD_LETTERS) {
                cursor->letters[length] = symbol;
                length++;
                context = (uint_fast16_t)LETTER_CONTEXT + symbol + symbol; /* gcc 12 makes a product of 2u * symbol */
            } else {
                context = LEVEL_CONTEXT;
            }
        } else if (context != LEVEL_CONTEXT) {
            length = symbol < cursor->length ? symbol : cursor->length;
            cursor->shared = (uint8_t)length;
            context = FIRST_LETTER + (length < cursor->length ? 2u * cursor->letters[length] : 0u);
        } else {
            break;
        }
    }
    cursor->next = next;
    cursor->length = (uint8_t)length;
    cursor->level = symbol % TLM_LEVELS;
    cursor->capitals = symbol / TLM_LEVELS;
}

static tlm_flash_t index_entry(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t block)
{
    return base(language) + own(lexicon)->index + (tlm_offset_t)block * INDEX_BYTES;
}

static uint16_t count_blocks(const tlm_lexicon_t *lexicon)
{
    const uint16_t rest = (uint16_t)(own(lexicon)->words % own(lexicon)->block_words);
    return (uint16_t)(own(lexicon)->words / own(lexicon)->block_words + (rest != 0 ? 1 : 0));
}

/* Where `block` begins in the stream. */
static tlm_bit_t block_start(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t block)
{
    const tlm_offset_t bytes = (tlm_offset_t)(tlm_flash_u24(index_entry(lexicon, language, block)) & STREAM_MASK);
    const tlm_bit_t start = {base(language) + own(lexicon)->stream + bytes, 0};
    return start;
}

/* Put the cursor on the first word of `block`. */
static void seek_block(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t block, tlm_cursor_t *cursor)
{
    cursor->next = block_start(lexicon, language, block);
    cursor->word = (uint16_t)(block * own(lexicon)->block_words); /* below own(lexicon)->words */
    cursor->row = tlm_flash_u16(index_entry(lexicon, language, block) + INDEX_ROW);
    read_word(lexicon, language, FIRST_LETTER, cursor);
}

/* Whether the cursor is on a word of `block`. */
static bool is_inside(const tlm_lexicon_t *lexicon, const tlm_cursor_t *cursor, uint16_t block)
{
    return !TLM_SMALL && cursor->word != TLM_NO_WORD && cursor->word / own(lexicon)->block_words == block;
}

void tlm_cursor_seek(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t index, tlm_cursor_t *cursor)
{
    const uint16_t block = (uint16_t)(index / own(lexicon)->block_words);

    if (!is_inside(lexicon, cursor, block) || cursor->word > index) {
        seek_block(lexicon, language, block, cursor);
    }
    while (cursor->word < index && tlm_cursor_next(lexicon, language, cursor)) {
    }
}

bool tlm_cursor_next(const tlm_lexicon_t *lexicon, tlm_flash_t language, tlm_cursor_t *cursor)
{
    const uint16_t next = (uint16_t)(cursor->word + 1u); /* a word's index is below 65,535 */
    uint_fast16_t context = cursor->length;

    if (next >= own(lexicon)->words) {
        return false;
    }
    if (cursor->level == 0) {
        cursor->row++;
    }
    cursor->word = next;
    if (next % own(lexicon)->block_words == 0) {
        cursor->next.at += cursor->next.bit != 0 ? 1u : 0u; /* a block starts on a byte, and shares nothing */
        cursor->next.bit = 0;
        context = FIRST_LETTER;
    }
    read_word(lexicon, language, context, cursor);
    return true;
}

void tlm_cursor_seek_row(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t row, tlm_cursor_t *cursor)
{
    uint16_t low = 0;
    uint16_t high = count_blocks(lexicon);

    /* The last block whose row is not past `row`: blocks without a level-0 word have the row of the next block. */
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)(low + (uint16_t)(high - low) / 2u);
        if (tlm_flash_u16(index_entry(lexicon, language, middle) + INDEX_ROW) <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (!is_inside(lexicon, cursor, low) || cursor->row > row) {
        seek_block(lexicon, language, low, cursor);
    }
    while ((cursor->row < row || cursor->level != 0) && tlm_cursor_next(lexicon, language, cursor)) {
    }
}

uint8_t tlm_lexicon_block_level(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t index)
{
    const uint16_t block = (uint16_t)(index / own(lexicon)->block_words);
    const uint8_t level = (uint8_t)(tlm_flash_u8(index_entry(lexicon, language, block) + INDEX_LEVEL) >> LEVEL_SHIFT);

    return level != 0 ? level : TLM_NO_LEVEL;
}

uint16_t tlm_lexicon_block_end(const tlm_lexicon_t *lexicon, uint16_t index, uint16_t end)
{
    const uint16_t left = (uint16_t)(own(lexicon)->block_words - index % own(lexicon)->block_words);
    return (uint16_t)(end - index < left ? end : index + left);
}

/* Whether a word comes before the prefix: -1; starts with it: 0; comes after all words that do: 1. */
static int8_t compare_word(const tlm_cursor_t *cursor, const uint8_t *prefix, uint8_t length)
{
    for (uint8_t i = 0; i < length; i++) {
        const uint8_t letter = i < cursor->length ? cursor->letters[i] : 0;
        if (letter != prefix[i]) {
            return letter < prefix[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The same for the first word of a block, which is read only as far as it is like the prefix. */
static int8_t compare_block(const tlm_lexicon_t *lexicon, tlm_flash_t language, uint16_t block, const uint8_t *prefix,
                            uint8_t length)
{
    const tlm_flash_t codes = codes_of(lexicon, language);
    uint_fast16_t context = FIRST_LETTER;
    tlm_bit_t next;

    if (TLM_SMALL) { /* by what there is */
        tlm_cursor_t first;
        seek_block(lexicon, language, block, &first);
        return compare_word(&first, prefix, length);
    }
    next = block_start(lexicon, language, block);
    for (uint8_t i = 0; i < length; i++) {
        const uint8_t letter = decode(codes, context, &next);
        if (letter != prefix[i]) {
            return letter < prefix[i] ? -1 : 1;
        }
        context = LETTER_CONTEXT + 2u * letter;
    }
    return 0;
}

/* Put the cursor on the first word that compares `least` (0 or 1) or more with the prefix. With `onwards` that word is
 * known to be the cursor's or a later one, and is read from there when it is near. Returns false when there is none; the
 * cursor is then past the end: only its word and row count. The lexicon has words. */
static bool seek_prefix(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *prefix, uint8_t length,
                        int8_t least, bool onwards, tlm_cursor_t *cursor)
{
    uint8_t same = 0; /* letters at the start of the cursor's word that are the prefix's */
    uint16_t low = 0;
    uint16_t high = count_blocks(lexicon);

    if (!TLM_SMALL && onwards) { /* the words with a prefix are few: look at the next block, and twice as far each time */
        low = (uint16_t)(cursor->word / own(lexicon)->block_words);
        for (uint16_t step = 1; step < high - low; step = (uint16_t)(2u * step)) {
            if (compare_block(lexicon, language, (uint16_t)(low + step), prefix, length) >= least) {
                high = (uint16_t)(low + step);
            } else {
                low = (uint16_t)(low + step);
            }
        }
    }
    /* The last block that starts before the place, or the first block. */
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)(low + (uint16_t)(high - low) / 2u);
        if (compare_block(lexicon, language, middle, prefix, length) < least) {
            low = middle;
        } else {
            high = middle;
        }
    }
    if (!onwards || cursor->word / own(lexicon)->block_words < low) {
        seek_block(lexicon, language, low, cursor);
    }
    while (!TLM_SMALL || compare_word(cursor, prefix, length) < least) { /* small: by what there is */
        while (same < length && same < cursor->length && cursor->letters[same] == prefix[same]) {
            same++;
        }
        if (!TLM_SMALL && (same == length ? least == 0 : same < cursor->length && cursor->letters[same] > prefix[same])) {
            return true;
        }
        do { /* a word that shares more than what is like the prefix compares as the one before it */
            if (!tlm_cursor_next(lexicon, language, cursor)) {
                cursor->word = own(lexicon)->words;
                cursor->row = (uint16_t)(TLM_FIRST_ROW + own(lexicon)->rows);
                return false;
            }
        } while (!TLM_SMALL && (cursor->shared > same || (same == length && cursor->shared == length)));
        same = cursor->shared;
    }
    return true;
}

tlm_range_t tlm_lexicon_range(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *prefix, uint8_t length,
                              tlm_cursor_t *cursor)
{
    tlm_range_t range = {0, own(lexicon)->words, TLM_FIRST_ROW, (uint16_t)(TLM_FIRST_ROW + own(lexicon)->rows), TLM_NO_LEVEL};
    tlm_cursor_t copy;
    tlm_cursor_t *const last = TLM_SMALL ? cursor : &copy; /* there the cursor is of no use afterwards */
    bool found;

    cursor->word = TLM_NO_WORD;
    if (own(lexicon)->words == 0 || length == 0) {
        return range;
    }
    found = seek_prefix(lexicon, language, prefix, length, 0, false, cursor);
    range.first = cursor->word;
    range.first_row = cursor->row;
    if (found && cursor->length == length && compare_word(cursor, prefix, length) == 0) {
        range.prefix_level = cursor->level;
    }
    if (!TLM_SMALL) {
        copy = *cursor;
    }
    if (found) {
        (void)seek_prefix(lexicon, language, prefix, length, 1, true, last);
    }
    range.end = last->word;
    range.end_row = last->row;
    return range;
}

bool tlm_cursor_seek_word(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length,
                          tlm_cursor_t *cursor)
{
    return own(lexicon)->words != 0 && length != 0 && seek_prefix(lexicon, language, letters, length, 0, false, cursor) &&
           cursor->length == length && compare_word(cursor, letters, length) == 0;
}

uint16_t tlm_lexicon_row(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length)
{
    tlm_cursor_t cursor;

    if (!tlm_cursor_seek_word(lexicon, language, letters, length, &cursor) || cursor.level != 0) {
        return TLM_ROW_UNKNOWN;
    }
    return cursor.row;
}

uint16_t tlm_lexicon_number(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length)
{
    tlm_cursor_t cursor;

    if (!tlm_cursor_seek_word(lexicon, language, letters, length, &cursor)) {
        return TLM_ROW_UNKNOWN;
    }
    return (uint16_t)(TLM_FIRST_ROW + cursor.word);
}

uint32_t tlm_lexicon_code(const tlm_lexicon_t *lexicon, tlm_flash_t language, const uint8_t *letters, uint8_t length)
{
    tlm_cursor_t cursor;

    if (!tlm_cursor_seek_word(lexicon, language, letters, length, &cursor)) {
        return TLM_ROW_UNKNOWN;
    }
    return cursor.level == 0 ? cursor.row : (uint32_t)TLM_FIRST_ROW + own(lexicon)->rows + cursor.word;
}
