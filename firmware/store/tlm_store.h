/* Where the model lies: inside the firmware, or apart in a piece of the flash that is written alone. */
#ifndef TLM_STORE_H
#define TLM_STORE_H

#include "tinylm.h"

#define TLM_STORE_MAGIC 0x31504D54UL /* "TMP1", little-endian */

/* The head of a model that lies apart. Its constants follow, then the language, which has a check of its own. */
typedef struct {
    uint32_t magic;
    uint32_t fingerprint;          /* of the firmware that it was built with: every byte of flash before it */
    uint32_t check;                /* CRC-32 of the bytes between this head and the language */
} tlm_store_t;

/* The firmware's own fingerprint; 0: the model is part of the firmware. Volatile, as tinylm puts it into the linked firmware. */
extern const volatile uint32_t tlm_fingerprint;

/* The model, when it is whole and belongs to this firmware: constants of another firmware would be read at wrong places and
 * its functions called there. Else a model of no words that only tells its name, and *status below 0: TLM_ERR_MODEL or
 * TLM_ERR_FIRMWARE. */
const tlm_model_t *tlm_store_open(int *status);

#endif
