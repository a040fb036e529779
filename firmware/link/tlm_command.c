/* Requests and their answers. docs/SPEC.md, "The serial protocol", lists the bytes of each. */
#include "tlm_link.h"

enum {
    HEADER_BYTES = 2,                                     /* sequence, command */
    ANSWER_BYTES = 3,                                     /* sequence, command, status */
    LARGEST_LIST = ANSWER_BYTES + 3 + TLM_MAX_SUGGESTIONS * TLM_WORD_BYTES, /* a length replaces the final zero */
    LARGEST_IDENTITY = ANSWER_BYTES + 23 + 3 * (1 + TLM_NAME_BYTES) + 2 + (TLM_SMALL ? 0 : 4),
    ROOM = TLM_FRAME_BODY_BYTES - TLM_FRAME_CHECK_BYTES,
    LINE_PART_BYTES = ROOM - ANSWER_BYTES - 2,            /* of text in one answer to `line` */
    FEED_BYTES = TLM_FRAME_BODY_BYTES - TLM_FRAME_CHECK_BYTES - HEADER_BYTES - 1 /* the suggestion count */
};

/* Every answer fits its frame: a negative array size stops the compiler otherwise. */
typedef char tlm_assert_answers_fit[LARGEST_LIST <= ROOM && LARGEST_IDENTITY <= ROOM ? 1 : -1];

/* A checked request. `arguments` points into the frame's buffer: read it before the answer begins. */
typedef struct {
    uint8_t sequence, command;
    const uint8_t *arguments;
    uint8_t count;                                        /* bytes at arguments */
} request_t;

static uint16_t argument_u16(const request_t *request, uint8_t at)
{
    return (uint16_t)(request->arguments[at] | (uint16_t)(request->arguments[at + 1] << 8));
}

static void answer_status(tlm_link_t *link, const request_t *request, int status)
{
    tlm_frame_begin(&link->frame, request->sequence, request->command, status);
    tlm_frame_send(&link->frame);
}

/* 0 a word network, 1 a character network, 2 an n-gram, 3 a mixture */
static uint8_t kind_of(const tlm_model_t *model)
{
    if (model->ngram != 0) {
        return model->network.score != 0 ? 3 : 2;
    }
    return model->lexicon.words == 0 ? 1 : 0;
}

static void answer_identify(tlm_link_t *link, const request_t *request)
{
    const tlm_model_t *model = tlm_model_of(link->engine);
    tlm_frame_t *frame = &link->frame;
    bool known = request->count == 1 && request->arguments[0] == TLM_PROTOCOL_VERSION;
    tlm_frame_begin(frame, request->sequence, request->command, known ? tlm_link_fault(link) : (int)TLM_ERR_UNKNOWN);
    tlm_frame_put_u8(frame, TLM_PROTOCOL_VERSION); /* first in every version, so that any host can name it */
    if (known) {
        tlm_frame_put_u8(frame, kind_of(model));
        tlm_frame_put_u8(frame, (uint8_t)link->checks.language);
        tlm_frame_put_u8(frame, (uint8_t)link->checks.self_test);
        tlm_frame_put_u8(frame, TLM_MAX_SUGGESTIONS);
        tlm_frame_put_u16(frame, FEED_BYTES);
        tlm_frame_put_u16(frame, TLM_LINE_BYTES);
        tlm_frame_put_u32(frame, model->hash);
        tlm_frame_put_u32(frame, model->language_bytes);
        tlm_frame_put_u16(frame, model->lexicon.words);
        tlm_frame_put_u16(frame, model->network.rows);
        tlm_frame_put_u16(frame, model->network.state_bytes);
        tlm_frame_put_text(frame, TLM_FIRMWARE_VERSION, TLM_NAME_BYTES);
        tlm_frame_put_text(frame, link->board, TLM_NAME_BYTES);
        tlm_frame_put_text(frame, model->name, TLM_NAME_BYTES);
        tlm_frame_put_u16(frame, TLM_SMALL ? 0 : link->memory->size);
        if (!TLM_SMALL) {
            tlm_frame_put_u32(frame, link->checks.fingerprint);
        }
    }
    tlm_frame_send(frame);
}

/* All bytes, also after one that did not fit: a newline among them still empties the line. */
static int feed_all(tlm_engine_t *engine, const uint8_t *bytes, uint8_t count)
{
    int status = 0;
    for (uint8_t i = 0; i < count; i++) {
        int result = tlm_feed(engine, bytes[i]);
        status = result < 0 && status == 0 ? result : status;
    }
    return status;
}

/* The edit of RESET..SUGGEST, its arguments' lengths checked first, so that a refused request changes nothing. */
static int edit(tlm_link_t *link, const request_t *request)
{
    tlm_engine_t *engine = link->engine;
    const uint8_t *rest = request->arguments + 1; /* after the suggestion count, which every edit begins with */
    if (request->count < 1 || request->arguments[0] > TLM_MAX_SUGGESTIONS) {
        return TLM_ERR_RANGE;
    }
    uint8_t rest_count = (uint8_t)(request->count - 1);
    if (request->command == TLM_COMMAND_FEED) {
        return feed_all(engine, rest, rest_count);
    }
    if (rest_count != (request->command == TLM_COMMAND_ACCEPT ? 1 : 0)) {
        return TLM_ERR_RANGE;
    }
    switch (request->command) {
    case TLM_COMMAND_RESET:
        tlm_reset(engine);
        return 0;
    case TLM_COMMAND_BACKSPACE:
        return tlm_backspace(engine);
    case TLM_COMMAND_ACCEPT:
        return tlm_accept(engine, rest[0]);
    default:
        return 0; /* TLM_COMMAND_SUGGEST: nothing but the suggestions */
    }
}

static void answer_edit(tlm_link_t *link, const request_t *request)
{
    tlm_frame_t *frame = &link->frame;
    tlm_recent_t *recent = &link->recent;
    uint16_t check = tlm_frame_check(frame);
    if (!recent->valid || recent->sequence != request->sequence || recent->check != check) {
        int status = edit(link, request);
        int found = status >= 0 && request->arguments[0] > 0 ? tlm_suggest(link->engine, request->arguments[0]) : 0;
        recent->status = (int8_t)(status < 0 ? status : found < 0 ? found : 0);
        recent->suggestions = (uint8_t)(found < 0 ? 0 : found > TLM_MAX_SUGGESTIONS ? TLM_MAX_SUGGESTIONS : found);
        recent->sequence = request->sequence;
        recent->check = check;
        recent->valid = true;
    }
    tlm_frame_begin(frame, request->sequence, request->command, recent->status);
    if (recent->status == 0) {
        tlm_frame_put_u16(frame, link->engine->line_bytes);
        tlm_frame_put_u8(frame, recent->suggestions);
        for (uint8_t i = 0; i < recent->suggestions; i++) {
            tlm_frame_put_text(frame, link->engine->suggestions[i].text, TLM_WORD_BYTES - 1);
        }
    }
    tlm_frame_send(frame);
}

static void answer_line(tlm_link_t *link, const request_t *request)
{
    const tlm_engine_t *engine = link->engine;
    uint16_t from = request->count == 2 ? argument_u16(request, 0) : 0;
    if (request->count != 2 || from > engine->line_bytes) {
        answer_status(link, request, TLM_ERR_RANGE);
        return;
    }
    uint16_t left = (uint16_t)(engine->line_bytes - from);
    uint16_t part = left < LINE_PART_BYTES ? left : (uint16_t)LINE_PART_BYTES;
    tlm_frame_begin(&link->frame, request->sequence, request->command, 0);
    tlm_frame_put_u16(&link->frame, engine->line_bytes);
    for (uint16_t i = 0; i < part; i++) {
        tlm_frame_put_u8(&link->frame, (uint8_t)engine->line[from + i]);
    }
    tlm_frame_send(&link->frame);
}

static void answer_hash(tlm_link_t *link, const request_t *request)
{
    if (request->count != 6) {
        answer_status(link, request, TLM_ERR_RANGE);
        return;
    }
    uint32_t hash =
        tlm_network_hash(link->engine, argument_u16(request, 0), argument_u16(request, 2), argument_u16(request, 4));
    tlm_reset(link->engine); /* the steps used the engine's state: start a new line whatever they left */
    tlm_frame_begin(&link->frame, request->sequence, request->command, 0);
    tlm_frame_put_u32(&link->frame, hash);
    tlm_frame_send(&link->frame);
}

/* What the argument of TLM_COMMAND_MEMORY asks for. */
enum { MEMORY_OFF = 0, MEMORY_ON = 1, MEMORY_ERASE = 2 };

static void answer_memory(tlm_link_t *link, const request_t *request)
{
    const uint8_t what = request->count == 1 ? request->arguments[0] : 0xFF;

    if (TLM_SMALL || what > MEMORY_ERASE || link->memory->size == 0) {
        answer_status(link, request, TLM_ERR_RANGE);
        return;
    }
    if (what == MEMORY_ERASE) {
        tlm_memory_erase(link->memory);
    } else {
        tlm_memory_use(link->engine, what == MEMORY_ON ? link->memory : 0);
    }
    link->engine->suggestion_count = 0; /* they were made otherwise */
    answer_status(link, request, 0);
}

/* The program is done: the line is the human's again. */
static void answer_leave(tlm_link_t *link, const request_t *request)
{
    answer_status(link, request, 0);
    tlm_link_release(link);
}

void tlm_command_run(tlm_link_t *link)
{
    request_t request;
    if (link->frame.length < HEADER_BYTES) {
        request.sequence = request.command = 0;
        answer_status(link, &request, TLM_ERR_FRAME);
        return;
    }
    request.sequence = link->frame.body[0];
    request.command = link->frame.body[1];
    request.arguments = link->frame.body + HEADER_BYTES;
    request.count = (uint8_t)(link->frame.length - HEADER_BYTES);
    if (request.command == TLM_COMMAND_IDENTIFY) {
        answer_identify(link, &request);
    } else if (request.command == TLM_COMMAND_LEAVE) {
        answer_leave(link, &request);
    } else if (request.command == 0 || request.command > TLM_COMMAND_MEMORY) {
        answer_status(link, &request, TLM_ERR_UNKNOWN);
    } else if (tlm_link_fault(link) < 0) {
        answer_status(link, &request, tlm_link_fault(link));
    } else if (request.command == TLM_COMMAND_LINE) {
        answer_line(link, &request);
    } else if (request.command == TLM_COMMAND_HASH) {
        answer_hash(link, &request);
    } else if (request.command == TLM_COMMAND_MEMORY) {
        answer_memory(link, &request);
    } else {
        answer_edit(link, &request);
    }
}
