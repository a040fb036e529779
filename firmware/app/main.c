/* The firmware: check the model, then answer the serial line for ever. */
#include "board.h" /* generated: TLM_BOARD_NAME, TLM_USER_MEMORY_BYTES */
#include "tlm_link.h"
#include "tlm_store.h"

static tlm_engine_t engine;
static tlm_link_t serial;
static tlm_memory_t memory;
static uint8_t memory_bytes[TLM_USER_MEMORY_BYTES > 0 ? TLM_USER_MEMORY_BYTES : 1];

/* `opened` is what opening the model gave: without one the engine still knows whose name to tell. */
static tlm_checks_t check_model(const tlm_model_t *model, int opened, tlm_flash_t language)
{
    tlm_checks_t checks;
    int result = tlm_engine_init(&engine, model, language);
    result = opened < 0 ? opened : result;
    if (result == 0) {
        result = tlm_language_check(model, language);
    }
    checks.fingerprint = TLM_SMALL ? 0 : tlm_fingerprint;
    checks.language = (int8_t)result;
    checks.self_test = (int8_t)(result == 0 ? tlm_self_test(&engine) : (int)TLM_ERR_MODEL);
    return checks;
}

int main(void)
{
    int opened = 0;
    const tlm_model_t *model = &tlm_model;
    tlm_port_init();
    if (!TLM_SMALL) {
        model = tlm_store_open(&opened);
        (void)tlm_memory_open(&memory, model, memory_bytes, TLM_USER_MEMORY_BYTES); /* too few bytes: there is none */
    }
    tlm_link_init(&serial, &engine, TLM_BOARD_NAME, check_model(model, opened, tlm_port_language()), TLM_SMALL ? 0 : &memory);
    for (;;) {
        int byte = tlm_port_read();
        if (byte < 0) {
            return 0; /* only where a line can end: a pipe or a socket */
        }
        tlm_link_byte(&serial, (uint8_t)byte);
    }
}
