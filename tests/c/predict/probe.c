/* Answers questions about the lexicon and the engine, one line of standard input each, for test_lexicon.py and
 * test_engine.py. The network is a stand-in: a hash of all that was stepped, which the tests compute as well. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlm_lexicon.h"
#include "tlm_lse.h"
#include "tlm_mixture.h"

enum { STUB_STATE_BYTES = 4 };

static tlm_model_t model;
static tlm_ngram_t ngram;
static tlm_engine_t engine;
static tlm_memory_t memory;
static uint8_t *memory_bytes; /* as long as they are, for the same reason */
static uint8_t *language; /* exactly as long as it is, so that the sanitizer sees a read past its end */
static tlm_letter_t alphabet[TLM_MAX_LETTERS];
static int32_t level_units[TLM_LEVELS - 1], top_millinats, level_millinats;
static int32_t spread;    /* scores are 0..spread-1 */

static uint32_t mix(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x45D9F3Bu;
    x = (x ^ (x >> 16)) * 0x45D9F3Bu;
    return x ^ (x >> 16);
}

static uint32_t load(const int8_t *bytes)
{
    uint32_t value = 0;
    for (int i = 3; i >= 0; i--) {
        value = value << 8 | (uint8_t)bytes[i];
    }
    return value;
}

static void store(int8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (int8_t)(uint8_t)(value >> 8 * i);
    }
}

static void stub_step(tlm_flash_t at, uint16_t id, int8_t *state, int8_t *context, int8_t *scratch)
{
    (void)at;
    scratch[0] = 0;
    store(state, mix(load(state) * 31u + id + 1u));
    store(context, ~load(state));
}

static void stub_score(tlm_flash_t at, const int8_t *context, uint16_t first, uint16_t count, int32_t *scores)
{
    (void)at;
    for (uint16_t i = 0; i < count; i++) {
        scores[i] = (int32_t)(mix(load(context) + 7919u * (first + i)) % (uint32_t)spread);
    }
}

static void ngram_step(tlm_flash_t at, uint16_t id, int8_t *state, int8_t *context, int8_t *scratch)
{
    context[0] = scratch[0] = 0;
    tlm_ngram_step(&ngram, at, id, state);
}

static void mixture_step(tlm_flash_t at, uint16_t id, int8_t *state, int8_t *context, int8_t *scratch)
{
    stub_step(at, id < model.network.rows ? id : (uint16_t)TLM_ROW_UNKNOWN, state, context, scratch);
    tlm_mixture_step(&ngram, at, id, state + STUB_STATE_BYTES);
}

static int8_t stub_logit(tlm_flash_t at, const int8_t *context, uint16_t row)
{
    int32_t score;
    stub_score(at, context, row, 1, &score);
    return (int8_t)(score % 128);
}

static void set_levels(int32_t units)
{
    model.lexicon.levels = TLM_LEVELS - 1;
    model.lexicon.level_units = level_units;
    for (int level = 1; level < TLM_LEVELS; level++) {
        const int64_t millinats = top_millinats - (int64_t)(level - 1) * level_millinats;
        level_units[level - 1] = (int32_t)(units * millinats / 1000);
    }
}

static uint8_t parse_hex(const char *text, uint8_t *bytes)
{
    uint8_t count = 0;
    for (; text[0] != '\0' && text[0] != '-' && text[0] != '\n'; text += 2) {
        const char pair[3] = {text[0], text[1], '\0'};
        bytes[count++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return count;
}

static void print_cursor(const tlm_cursor_t *cursor)
{
    printf("%u %u %u %u ", (unsigned)cursor->word, (unsigned)cursor->row, (unsigned)cursor->level, (unsigned)cursor->capitals);
    for (uint8_t i = 0; i < cursor->length; i++) {
        printf("%02x", (unsigned)cursor->letters[i]);
    }
}

/* Seeks go on from where the one before ended. */
static tlm_cursor_t cursor;

/* load KIND WORDS ROWS BLOCK LETTERS INDEX STREAM CODES TOP LEVEL UNITS SPREAD HASH ALPHABET(comma) LANGUAGE(hex) */
static void answer_load(char *line)
{
    long n[13];
    char *at = line;
    for (int i = 0; i < 13; i++) {
        n[i] = strtol(at, &at, 10);
    }
    memset(&model, 0, sizeof model);
    model.alphabet = alphabet;
    model.suggest = n[0] != 0 ? tlm_suggest_spelling : tlm_suggest_words;
    model.hash_moment = tlm_hash_network;
    model.lexicon.words = (uint16_t)n[1];
    model.lexicon.rows = (uint16_t)n[2];
    model.lexicon.block_words = (uint8_t)n[3];
    model.lexicon.letters = (uint8_t)n[4];
    model.lexicon.index = (uint32_t)n[5];
    model.lexicon.stream = (uint32_t)n[6];
    model.lexicon.codes = (uint32_t)n[7];
    top_millinats = (int32_t)n[8];
    level_millinats = (int32_t)n[9];
    set_levels((int32_t)n[10]);
    spread = (int32_t)n[11];
    model.hash = (uint32_t)n[12];
    for (int i = 0; i < n[4]; i++) {
        alphabet[i] = (tlm_letter_t)strtoul(at, &at, 10);
        at++;
    }
    model.network = (tlm_network_t){STUB_STATE_BYTES, TLM_CONTEXT_BYTES,
                                    (uint16_t)(TLM_FIRST_ROW + (n[0] != 0 ? n[4] : n[2])),
                                    (int32_t)n[10], stub_step, stub_score, stub_logit, 0};
    while (*at == ' ') {
        at++;
    }
    model.language_bytes = (uint32_t)(strcspn(at, "\n") / 2);
    cursor.word = TLM_NO_WORD;
    free(language);
    language = malloc(model.language_bytes);
    for (uint32_t i = 0; i < model.language_bytes; i++) {
        (void)parse_hex((char[3]){at[2 * i], at[2 * i + 1], '\0'}, language + i);
    }
    printf("%d %d", tlm_engine_init(&engine, &model, language), tlm_language_check(&model, language));
}

/* ngram ROWS BLOCKS PAIR_BITS TRIPLE_BITS BACKOFF_BITS STREAM_BYTES COSTS INDEX STREAM: what was loaded is an n-gram.
 * mixture: the same and SHARE; it has an n-gram too. */
static void answer_ngram(char *line, bool mixed)
{
    long n[10] = {0};
    char *at = line;
    for (int i = 0; i < (mixed ? 10 : 9); i++) {
        n[i] = strtol(at, &at, 10);
    }
    ngram = (tlm_ngram_t){(uint32_t)n[6], (uint32_t)n[7], (uint32_t)n[8], (uint32_t)n[5], (uint16_t)n[0], (uint16_t)n[1],
                          (uint8_t)n[2],  (uint8_t)n[3],  (uint8_t)n[4],  (int32_t)n[9]};
    model.ngram = &ngram;
    if (mixed) {
        model.suggest = tlm_suggest_mixture;
        model.hash_moment = tlm_hash_mixture;
        model.network.step = mixture_step;
        printf("%d", tlm_engine_init(&engine, &model, language));
        return;
    }
    set_levels(-TLM_NGRAM_UNITS);
    model.suggest = tlm_suggest_ngram;
    model.hash_moment = tlm_hash_ngram;
    model.network = (tlm_network_t){TLM_NGRAM_STATE_BYTES, 1, ngram.rows, TLM_NGRAM_UNITS, ngram_step, 0, 0, 0};
    printf("%d", tlm_engine_init(&engine, &model, language));
}

static void answer_lexicon(const char *command, const char *argument)
{
    const tlm_lexicon_t *lexicon = &model.lexicon;
    const uint16_t number = (uint16_t)strtoul(argument, NULL, 10);
    uint8_t letters[256];

    if (strcmp(command, "range") == 0) {
        const tlm_range_t r = tlm_lexicon_range(lexicon, language, letters, parse_hex(argument, letters), &cursor);
        printf("%u %u %u %u %u", (unsigned)r.first, (unsigned)r.end, (unsigned)r.first_row, (unsigned)r.end_row,
               (unsigned)r.prefix_level);
    } else if (strcmp(command, "row") == 0) {
        printf("%u", (unsigned)tlm_lexicon_row(lexicon, language, letters, parse_hex(argument, letters)));
    } else if (strcmp(command, "number") == 0) {
        printf("%u", (unsigned)tlm_lexicon_number(lexicon, language, letters, parse_hex(argument, letters)));
    } else if (strcmp(command, "blocklevel") == 0) {
        printf("%u", (unsigned)tlm_lexicon_block_level(lexicon, language, number));
    } else if (strcmp(command, "seek") == 0 || strcmp(command, "seekrow") == 0) {
        (strcmp(command, "seek") == 0 ? tlm_cursor_seek : tlm_cursor_seek_row)(lexicon, language, number, &cursor);
        print_cursor(&cursor);
    } else {
        tlm_cursor_seek(lexicon, language, 0, &cursor);
        do {
            print_cursor(&cursor);
            putchar(',');
        } while (tlm_cursor_next(lexicon, language, &cursor));
    }
}

/* memory SIZE CONTENT(hex): opens a memory that holds the content and is zero after it, and uses it. recall: its lines, and
 * the bytes after them. poke CONTENT: puts other bytes into the lines under the engine's feet. */
static void answer_memory(const char *command, char *argument)
{
    if (strcmp(command, "memory") == 0) {
        const uint16_t size = (uint16_t)strtoul(argument, &argument, 10);
        free(memory_bytes);
        memory_bytes = calloc(size, 1);
        for (uint16_t i = 0; *argument != '\0' && argument[1] > ' '; i++, argument += 2) {
            (void)parse_hex((char[3]){argument[1], argument[2], '\0'}, memory_bytes + i);
        }
        printf("%d", tlm_memory_open(&memory, &model, memory_bytes, size));
        tlm_memory_use(&engine, &memory);
    } else if (strcmp(command, "poke") == 0) {
        for (uint16_t i = 10; *argument > ' ' && i < memory.size; i++, argument += 2) {
            (void)parse_hex((char[3]){argument[0], argument[1], '\0'}, memory_bytes + i);
        }
    } else if (strcmp(command, "forget") == 0) {
        tlm_memory_erase(&memory);
    } else {
        for (uint16_t i = 0; i < memory.size; i++) {
            printf("%02x", (unsigned)memory_bytes[i]);
        }
    }
}

/* lse UNITS SCORE...: the logarithm of their sum */
static void answer_lse(char *line)
{
    tlm_lse_t lse;
    tlm_lse_start(&lse, (int32_t)strtol(line, &line, 10));
    while (*line == ' ') {
        const int32_t score = (int32_t)strtol(line, &line, 10);
        tlm_lse_add(&lse, &score, 1);
    }
    printf("%" PRId32, tlm_lse_value(&lse));
}

static void answer_engine(const char *command, const char *argument)
{
    const uint8_t number = (uint8_t)strtoul(argument, NULL, 10);
    uint8_t bytes[256];
    int result = 0;

    if (strcmp(command, "feed") == 0) {
        const uint8_t count = parse_hex(argument, bytes);
        for (uint8_t i = 0; i < count; i++) {
            result = tlm_feed(&engine, bytes[i]);
        }
        printf("%d", result);
    } else if (strcmp(command, "backspace") == 0) {
        printf("%d", tlm_backspace(&engine));
    } else if (strcmp(command, "accept") == 0) {
        printf("%d", tlm_accept(&engine, number));
    } else if (strcmp(command, "suggest") == 0) {
        result = tlm_suggest(&engine, number);
        printf("%d", result);
        for (int i = 0; i < result; i++) {
            printf("\t%s", engine.suggestions[i].text);
        }
    } else if (strcmp(command, "hash") == 0) {
        const uint16_t steps = *argument != '\0' ? (uint16_t)strtoul(argument, NULL, 10) : 8;
        printf("%" PRIu32, tlm_network_hash(&engine, 0, 1, steps));
    } else if (strcmp(command, "selftest") == 0) {
        model.self_test_hash = (uint32_t)strtoul(argument, NULL, 10);
        printf("%d", tlm_self_test(&engine));
    } else {
        printf("%.*s", (int)engine.line_bytes, engine.line);
    }
}

int main(void)
{
    static char line[1 << 21];

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *argument = line + strcspn(line, " \n");
        const bool more = *argument == ' ';
        *argument = '\0';
        argument += more ? 1 : 0;
        if (strcmp(line, "load") == 0) {
            answer_load(argument);
        } else if (strcmp(line, "ngram") == 0 || strcmp(line, "mixture") == 0) {
            answer_ngram(argument, *line == 'm');
        } else if (strcmp(line, "lse") == 0) {
            answer_lse(argument);
        } else if (strstr("memory poke forget content", line) != NULL) {
            answer_memory(line, argument);
        } else if (strstr("range row number blocklevel seek seekrow all", line) != NULL) {
            answer_lexicon(line, argument);
        } else {
            answer_engine(line, argument);
        }
        putchar('\n');
        fflush(stdout);
    }
    free(language);
    free(memory_bytes);
    return 0;
}
