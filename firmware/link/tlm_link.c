#include "tlm_link.h"

int tlm_link_fault(const tlm_link_t *link)
{
    return link->checks.language < 0 ? link->checks.language : link->checks.self_test;
}

void tlm_link_release(tlm_link_t *link)
{
    link->recent.valid = false;
    if (!TLM_SMALL && tlm_link_fault(link) == 0) {
        tlm_reset(link->engine);
        tlm_memory_use(link->engine, link->memory); /* a program may have done without */
    }
    if (TLM_TEXT) {
        tlm_text_greet(link);
    }
}

void tlm_link_init(tlm_link_t *link, tlm_engine_t *engine, const char *board, tlm_checks_t checks, tlm_memory_t *memory)
{
    link->engine = engine;
    link->board = board;
    link->checks = checks;
    link->memory = memory;
    link->frame.inside = false;
    link->frame.length = 0;
    tlm_link_release(link);
}

void tlm_link_byte(tlm_link_t *link, uint8_t byte)
{
    int event = tlm_frame_take(&link->frame, byte);
    if (event == TLM_FRAME_OUTSIDE) {
        if (TLM_TEXT) {
            tlm_text_key(link, byte);
        }
    } else if (event == TLM_FRAME_READY) {
        /* From now on a program holds the line: a frame whose STX was lost must not be typed as text. */
        link->text.quiet = true;
        link->text.enters = 0;
        tlm_command_run(link);
    } else if (event < 0) {
        tlm_frame_begin(&link->frame, 0, 0, event); /* its sequence and command cannot be trusted */
        tlm_frame_send(&link->frame);
    }
}
