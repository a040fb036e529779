/* The model is a piece of the flash of its own, which may be erased, half written, or another firmware's. */
#include "tlm_line.h"
#include "tlm_store.h"

extern const tlm_store_t tlm_store;
extern const uint8_t tlm_language[];

const volatile uint32_t tlm_fingerprint = 0xFFFFFFFFUL;

static const tlm_model_t nothing = {.name = "no model"};

const tlm_model_t *tlm_store_open(int *status)
{
    const uint8_t *const constants = (const uint8_t *)(&tlm_store + 1);
    *status = TLM_ERR_MODEL;
    if (tlm_store.magic == TLM_STORE_MAGIC) {
        *status = TLM_ERR_FIRMWARE;
        if (tlm_store.fingerprint == tlm_fingerprint) {
            *status = tlm_crc32(constants, tlm_language) == tlm_store.check ? 0 : TLM_ERR_MODEL;
        }
    }
    return *status == 0 ? &tlm_model : &nothing;
}
