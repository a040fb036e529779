/* Enough for any model of these tests: only the network runs here, on buffers of its own. */
#ifndef TLM_SIZES_H
#define TLM_SIZES_H

enum {
    TLM_STATE_BYTES = 64,
    TLM_CONTEXT_BYTES = 64,
    TLM_SCRATCH_BYTES = 1024,
    TLM_HISTORY = 1,
    TLM_LINE_BYTES = 64
};

#endif
