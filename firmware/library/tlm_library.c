#include "tlm_library.h"

#include "tlm_line.h"

extern const uint8_t tlm_language[];

uint32_t tlm_library_engine_bytes(void) { return (uint32_t)sizeof(tlm_engine_t); }

int tlm_library_open(tlm_engine_t *engine) { return tlm_engine_init(engine, &tlm_model, tlm_language); }

int tlm_library_type(tlm_engine_t *engine, const uint8_t *text, uint32_t size)
{
    uint32_t common = 0;
    while (common < size && common < engine->line_bytes && (uint8_t)engine->line[common] == text[common]) {
        common++;
    }
    while (engine->line_bytes > common) {
        if (tlm_backspace(engine) < 0) { /* cannot be: the line is not empty */
            return TLM_ERR_EMPTY;
        }
    }
    for (uint32_t i = engine->line_bytes; i < size; i++) { /* backspace takes whole characters: maybe before `common` */
        int done = tlm_feed(engine, text[i]);
        if (done < 0) {
            return done;
        }
    }
    return 0;
}

int tlm_library_suggest(tlm_engine_t *engine, uint8_t count, char *out)
{
    int found = tlm_suggest(engine, count);
    for (int i = 0; i < found; i++) {
        for (const char *c = engine->suggestions[i].text; *c != '\0'; c++) {
            *out++ = *c;
        }
        *out++ = '\n';
    }
    *out = '\0';
    return found;
}

int tlm_library_scores(tlm_engine_t *engine, int32_t *scores)
{
    const tlm_network_t *network = &engine->model->network;
    const int done = tlm_suggest(engine, 1); /* the network follows the line when it is asked */
    if (done < 0) {
        return done;
    }
    network->score(engine->language, tlm_moment_newest(engine)->context, 0, network->rows, scores);
    return network->rows;
}
