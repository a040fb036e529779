/* Sizes for the stand-in engine of the link's tests. */
#ifndef TLM_SIZES_H
#define TLM_SIZES_H

#define TLM_STATE_BYTES 4
#define TLM_CONTEXT_BYTES 4
#define TLM_SCRATCH_BYTES 4
#define TLM_HISTORY 1
#ifndef TLM_LINE_BYTES
#define TLM_LINE_BYTES 300
#endif

#endif
