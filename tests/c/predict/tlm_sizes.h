/* Sizes for the stand-in network of the predictor's tests: small, so that the ring of moments and the line run out. */
#ifndef TLM_SIZES_H
#define TLM_SIZES_H

#define TLM_STATE_BYTES 24 /* the network uses 4 of them, the n-gram 16, the mixture all */
#define TLM_CONTEXT_BYTES 4
#define TLM_SCRATCH_BYTES 1
#ifndef TLM_HISTORY
#define TLM_HISTORY 3
#endif
#define TLM_LINE_BYTES 60
#define TLM_BEAM 3

#endif
