#include "tlm_library.h"

#include <string.h>

#include "tlm_line.h"
#include "tlm_ngram.h"

#define FNV_BASIS 14695981039346656037ULL /* FNV-1a, 64 bits */
#define FNV_PRIME 1099511628211ULL

extern const uint8_t tlm_language[];

uint32_t tlm_library_bytes(void) { return (uint32_t)sizeof(tlm_library_t); }

uint32_t tlm_library_memory_bytes(void) { return (uint32_t)sizeof(tlm_library_memory_t); }

int tlm_library_open(tlm_library_t *library, tlm_library_memory_t *memories, uint32_t memory_count)
{
    library->memories = memories;
    library->memory_count = memory_count;
    return tlm_engine_init(&library->engine, &tlm_model, tlm_language);
}

int tlm_library_learn(tlm_library_t *library, uint8_t *bytes, uint16_t size)
{
    const int done = tlm_memory_open(&library->taught, &tlm_model, bytes, size);

    tlm_memory_use(&library->engine, &library->taught);
    return done;
}

void tlm_library_forget(tlm_library_t *library) { tlm_memory_erase(&library->taught); }

/* Keys of the line's beginnings: beginning n has the key of beginning n - 1 and one byte more. Never 0. */
static uint64_t extend_key(uint64_t key, char byte)
{
    key = (key ^ (uint8_t)byte) * FNV_PRIME;
    return key != 0 ? key : 1;
}

static tlm_library_memory_t *memory_of(const tlm_library_t *library, uint64_t key)
{
    return &library->memories[(key ^ (key >> 32)) & (library->memory_count - 1)];
}

/* Take the longest remembered beginning that reaches beyond what the engine's newest moment has seen. */
static void recall(tlm_library_t *library)
{
    tlm_engine_t *engine = &library->engine;
    const tlm_library_memory_t *best = 0;
    const uint16_t seen = engine->moments > 0 ? engine->history[engine->newest].line_bytes : 0;
    uint64_t key = FNV_BASIS;

    for (uint16_t i = 0; i < engine->line_bytes; i++) {
        const tlm_library_memory_t *memory;
        key = extend_key(key, engine->line[i]);
        memory = memory_of(library, key);
        if (i >= seen && memory->key == key && memory->moment.line_bytes == i + 1) {
            best = memory;
        }
    }
    if (best != 0) {
        tlm_moment_put(engine, &best->moment);
    }
}

/* Remember the moments of the ring that are new since the line's first `seen` bytes. */
static void remember(tlm_library_t *library, uint16_t seen)
{
    const tlm_engine_t *engine = &library->engine;
    uint16_t oldest = (uint16_t)(engine->newest + TLM_HISTORY + 1 - engine->moments);
    uint64_t key = FNV_BASIS;
    uint16_t bytes = 0;

    for (uint8_t n = 0; n < engine->moments; n++) {
        const tlm_moment_t *moment = &engine->history[(oldest + n) % TLM_HISTORY];
        while (bytes < moment->line_bytes) {
            key = extend_key(key, engine->line[bytes++]);
        }
        if (moment->line_bytes > seen) {
            tlm_library_memory_t *memory = memory_of(library, key);
            memory->key = key;
            memory->moment = *moment;
        }
    }
}

static uint32_t common_bytes(const tlm_engine_t *engine, const uint8_t *text, uint32_t size)
{
    uint32_t common = 0;

    while (common < size && common < engine->line_bytes && (uint8_t)engine->line[common] == text[common]) {
        common++;
    }
    return common;
}

int tlm_library_type(tlm_library_t *library, const uint8_t *text, uint32_t size)
{
    tlm_engine_t *engine = &library->engine;
    const uint32_t common = common_bytes(engine, text, size);

    while (engine->line_bytes > common) {
        const int done = tlm_backspace(engine);
        if (done < 0) { /* cannot be: the line is not empty */
            return done;
        }
    }
    for (uint32_t i = engine->line_bytes; i < size; i++) { /* backspace takes whole characters: maybe before `common` */
        const int done = tlm_feed(engine, text[i]);
        if (done < 0) {
            return done;
        }
    }
    if (library->memory_count != 0) {
        recall(library);
    }
    return 0;
}

int tlm_library_suggest(tlm_library_t *library, uint8_t count, char *out)
{
    tlm_engine_t *engine = &library->engine;
    const uint16_t seen = engine->moments > 0 ? engine->history[engine->newest].line_bytes : 0;
    const int found = tlm_suggest(engine, count);

    for (int i = 0; i < found; i++) {
        for (const char *c = engine->suggestions[i].text; *c != '\0'; c++) {
            *out++ = *c;
        }
        *out++ = '\n';
    }
    *out = '\0';
    if (library->memory_count != 0 && engine->moments > 0 && engine->history[engine->newest].line_bytes > seen) {
        remember(library, seen);
    }
    return found;
}

/* Which lists a person has seen: of `count` words, for the beginnings of the word at `start` up to the line's first `end` bytes. */
typedef struct {
    uint16_t start, end;
    uint8_t count;
} seen_t;

/* Make the lists that a person saw who typed the line's last word letter by letter, but for those known to be seen. The line is as
 * before; `out` is for tlm_library_suggest. */
static void show_before(tlm_library_t *library, uint8_t count, seen_t *seen, char *out)
{
    tlm_engine_t *engine = &library->engine;
    const uint16_t end = engine->line_bytes;
    tlm_typed_t typed;
    char word[TLM_LINE_BYTES];
    uint16_t at;

    tlm_line_typed(engine, &typed);
    at = typed.start;
    if (seen->start == typed.start && seen->count == count) {
        at = seen->end;
        at = (uint16_t)(at + (at < end ? tlm_utf8_bytes((uint8_t)engine->line[at]) : 0)); /* from the next character on */
    }
    memcpy(word, engine->line, end);
    while (engine->line_bytes > at) {
        (void)tlm_backspace(engine);
    }
    while (at < end) {
        if ((word[at] & 0xC0) != 0x80) {
            (void)tlm_library_suggest(library, count, out);
        }
        (void)tlm_feed(engine, (uint8_t)word[at]); /* it was there before: there is room */
        at++;
    }
    seen->start = typed.start;
    seen->end = end;
    seen->count = count;
}

/* The next line begins as the one before in `common` bytes: what was seen of it. */
static void cut_seen(const tlm_engine_t *engine, uint32_t common, seen_t *seen)
{
    if (common < seen->end) {
        seen->end = (uint16_t)common;
        while (seen->end > 0 && ((uint8_t)engine->line[seen->end] & 0xC0u) == 0x80u) { /* whole characters */
            seen->end--;
        }
    }
    if (seen->end < seen->start) {
        seen->start = TLM_NOT_KNOWN;
    }
}

void tlm_library_answer(tlm_library_t *library, const uint8_t *texts, const uint32_t *sizes, const uint8_t *counts,
                        uint32_t queries, bool letter_by_letter, int8_t *found, char *out)
{
    seen_t seen = {TLM_NOT_KNOWN, 0, 0};

    *out = '\0';
    for (uint32_t i = 0; i < queries; i++) {
        int done;
        cut_seen(&library->engine, common_bytes(&library->engine, texts, sizes[i]), &seen);
        done = tlm_library_type(library, texts, sizes[i]);
        if (done == 0) {
            if (letter_by_letter) {
                show_before(library, counts[i], &seen, out);
            } else {
                library->engine.passed.count = 0; /* of the queries before */
            }
            done = tlm_library_suggest(library, counts[i], out);
            out += strlen(out);
        }
        found[i] = (int8_t)done;
        texts += sizes[i];
    }
}

/* The model follows the line when it is asked; nobody sees the answer. */
static int follow(tlm_engine_t *engine)
{
    const tlm_passed_t passed = engine->passed;
    const int done = tlm_suggest(engine, 1);

    engine->passed = passed;
    return done;
}

int tlm_library_scores(tlm_library_t *library, int32_t *scores)
{
    tlm_engine_t *engine = &library->engine;
    const tlm_network_t *network = &engine->model->network;
    const int done = follow(engine);

    if (done < 0) {
        return done;
    }
    if (network->score == 0) { /* the n-gram kind */
        return TLM_ERR_UNKNOWN;
    }
    network->score(engine->language, tlm_moment_newest(engine)->context, 0, network->rows, scores);
    return network->rows;
}

int tlm_library_followers(tlm_library_t *library, uint16_t *rows, uint16_t *costs)
{
    tlm_engine_t *engine = &library->engine;
    const tlm_model_t *model = engine->model;
    const int done = follow(engine);
    tlm_followers_t followers;
    uint8_t read;
    int count = 0; /* below 65,535: each has another row */

    if (done < 0 || model->ngram == 0) {
        return done < 0 ? done : 0;
    }
    /* In a mixture the n-gram's state lies after the network's. */
    tlm_followers_start(model->ngram, engine->language,
                        tlm_moment_newest(engine)->state + (model->network.score != 0 ? model->network.state_bytes : 0),
                        &followers);
    while ((read = tlm_followers_read(model->ngram, engine->language, &followers)) > 0) {
        for (uint8_t i = 0; i < read; i++, count++) {
            rows[count] = followers.rows[i];
            costs[count] = followers.costs[i];
        }
    }
    return count;
}
