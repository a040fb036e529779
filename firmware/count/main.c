/* In place of app/main.c: runs a model's step, its rows and its suggestions, each inside an interval.
 *
 * What an interval is: e nothing, s one step, r the scores of all rows, w the first suggestion after a finished word (its
 * step included), 1 2 3 a keystroke with so many letters of a word typed and the suggestions for it, c see
 * tlm_count_known, n the newline that ends a line which is learned, W A B C what w 1 2 3 are with the user's memory.
 * '.' ends it all. */
#include "board.h" /* generated: TLM_USER_MEMORY_BYTES */
#include "count.h" /* generated: COUNT_STEPS, COUNT_TEXTS, COUNT_TAUGHT */
#include "tinylm.h"
#include "tlm_count.h"

enum { ROWS_AT_ONCE = TLM_SMALL ? 32 : 128 /* as the engine (tlm_words.h), where there is RAM */, SUGGESTIONS = 3, MOST_LETTERS = 3 };

static tlm_engine_t engine;
static const char *const texts[] = {COUNT_TEXTS};
static const char *const taught[] = {COUNT_TAUGHT};
static tlm_memory_t memory;
static union { /* the memory is opened when the steps are done */
    int32_t scores[ROWS_AT_ONCE];
    uint8_t memory[TLM_USER_MEMORY_BYTES > 0 ? TLM_USER_MEMORY_BYTES : 1];
} room;

static void score_all(const int8_t *context)
{
    const tlm_network_t *network = &tlm_model.network;
    for (uint16_t first = 0; first < network->rows; first = (uint16_t)(first + ROWS_AT_ONCE)) {
        const uint16_t left = (uint16_t)(network->rows - first);
        network->score(tlm_port_language(), context, first, left < ROWS_AT_ONCE ? left : (uint16_t)ROWS_AT_ONCE, room.scores);
    }
}

static void run_steps(void)
{
    const tlm_network_t *network = &tlm_model.network;
    tlm_moment_t *moment = &engine.history[0];
    for (uint16_t i = 0; i < COUNT_STEPS; i++) {
        tlm_count_begin('s');
        network->step(tlm_port_language(), (uint16_t)(i * 7U % network->rows), moment->state, moment->context,
                      engine.scratch);
        tlm_count_end();
        tlm_count_begin('r');
        if (network->score != 0) { /* the n-gram kind has none */
            score_all(moment->context);
        }
        tlm_count_end();
    }
}

/* Types a text whose words are all finished by a space; the line is followed before, so that an interval has one step.
 * names: of the intervals after 0 to 3 letters. */
static void type_text(const char *text, const char *names)
{
    uint8_t letters = MOST_LETTERS + 1;
    tlm_reset(&engine);
    (void)tlm_suggest(&engine, SUGGESTIONS);
    while (*text != '\0') {
        letters = *text == ' ' ? 0 : (uint8_t)(letters + 1);
        const uint8_t counted = letters <= MOST_LETTERS;
        if (counted) {
            tlm_count_begin((uint8_t)names[letters]);
        }
        do {
            (void)tlm_feed(&engine, (uint8_t)*text++);
        } while (((uint8_t)*text & 0xC0U) == 0x80U); /* a letter of two bytes is one keystroke */
        (void)tlm_suggest(&engine, SUGGESTIONS);
        if (counted) {
            tlm_count_end();
        }
    }
}

static void learn_line(const char *text)
{
    while (*text != '\0') {
        (void)tlm_feed(&engine, (uint8_t)*text++);
    }
    tlm_count_begin('n');
    (void)tlm_feed(&engine, '\n');
    tlm_count_end();
}

static void type_texts(const char *names)
{
    for (uint8_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        type_text(texts[i], names);
    }
}

int main(void)
{
    tlm_port_init();
    (void)tlm_port_read(); /* whoever listens is there */
    tlm_count_begin('e');
    tlm_count_end();
    tlm_count_known();
    run_steps();
    if (texts[0] != 0 && tlm_engine_init(&engine, &tlm_model, tlm_port_language()) == 0) {
        type_texts("w123");
        if (taught[0] != 0 && tlm_memory_open(&memory, &tlm_model, room.memory, TLM_USER_MEMORY_BYTES) >= 0) {
            tlm_memory_use(&engine, &memory);
            for (uint16_t i = 0; i < sizeof taught / sizeof taught[0]; i++) {
                learn_line(taught[i]);
            }
            type_texts("WABC");
        }
    }
    tlm_port_write('.');
    (void)tlm_port_read();
    return 0;
}
