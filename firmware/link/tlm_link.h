/* The serial line of a device: typed text from a human, frames from a program, one engine behind both.
 * Everything that comes by wire is checked here. app/main.c needs only tlm_link_init and tlm_link_byte. */
#ifndef TLM_LINK_H
#define TLM_LINK_H

#include "tinylm.h"
#include "tlm_frame.h"

#define TLM_FIRMWARE_VERSION "0.1.0" /* the package's version; tests/test_link_firmware.py keeps them equal */

#ifndef TLM_TEXT
#define TLM_TEXT 1                     /* tlm_sizes.h says 0 where flash is scarce: no text mode, so a program alone speaks */
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_PROTOCOL_VERSION = 1,
    TLM_NAME_BYTES = 31,           /* longest board or model name that identify tells; the rest is cut */
    TLM_TEXT_SUGGESTIONS = 3       /* shown to a human */
};

enum tlm_command {
    TLM_COMMAND_IDENTIFY = 0x01,
    TLM_COMMAND_RESET = 0x02,
    TLM_COMMAND_FEED = 0x03,
    TLM_COMMAND_BACKSPACE = 0x04,
    TLM_COMMAND_ACCEPT = 0x05,
    TLM_COMMAND_SUGGEST = 0x06,
    TLM_COMMAND_LINE = 0x07,
    TLM_COMMAND_HASH = 0x08,
    TLM_COMMAND_LEAVE = 0x09,
    TLM_COMMAND_MEMORY = 0x0A
};

/* What the start-up checks said; each 0 or below. */
typedef struct {
    int8_t language;               /* tlm_language_check and tlm_engine_init; TLM_ERR_FIRMWARE */
    int8_t self_test;              /* tlm_self_test; TLM_ERR_MODEL too when it could not run */
    uint32_t fingerprint;          /* of the firmware around a model that lies apart; else 0 */
} tlm_checks_t;

/* The request answered last: the same one again gets the same answer and changes nothing. */
typedef struct {
    bool valid;
    uint8_t sequence;
    uint16_t check;                /* the request's CRC: two different requests are never taken for one */
    int8_t status;
    uint8_t suggestions;           /* how many of engine->suggestions the answer held */
} tlm_recent_t;

/* A human's terminal. */
typedef struct {
    bool quiet;                    /* a program speaks in frames: bytes between frames are noise */
    uint8_t enters;                /* Enter keys in a row while quiet; the third gives the line back to the human */
    bool after_return;             /* the last byte was CR: LF is the same key */
    bool literal;                  /* after Ctrl-V: the next digit is text */
    uint8_t escape;                /* 0 none, 1 after ESC, 2 inside a control sequence: arrow keys are not text */
    uint8_t suggestions;           /* how many are on the screen */
} tlm_text_t;

typedef struct {
    tlm_engine_t *engine;
    const char *board;
    tlm_checks_t checks;
    tlm_memory_t *memory;          /* of the user; size 0: the board has none */
    tlm_recent_t recent;
    tlm_text_t text;
    tlm_frame_t frame;
} tlm_link_t;

/* Take over the line and greet; the engine suggests and learns with `memory`. `board` and `memory` must outlive the link.
 * With a failed check the engine is never touched: a human reads why, identify answers with the fault (TLM_ERR_MODEL or
 * TLM_ERR_FIRMWARE) and every field, any other request with the fault alone. */
void tlm_link_init(tlm_link_t *link, tlm_engine_t *engine, const char *board, tlm_checks_t checks, tlm_memory_t *memory);

/* One byte from the line. Answers through tlm_port_write before it returns. */
void tlm_link_byte(tlm_link_t *link, uint8_t byte);

/* 0, or the error of the check that failed at start-up. */
int tlm_link_fault(const tlm_link_t *link);

/* No program holds the line, from now on: it is empty, and what is typed is learned. Greets a human, where there is a text mode. */
void tlm_link_release(tlm_link_t *link);

/* tlm_command.c: run the request in link->frame (READY) and send its answer. */
void tlm_command_run(tlm_link_t *link);

/* tlm_text.c: greet and draw the empty line; a byte typed by a human. */
void tlm_text_greet(tlm_link_t *link);
void tlm_text_key(tlm_link_t *link, uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
