/* Frames on the serial line: STX, the COBS-encoded body, NUL. docs/SPEC.md, "The serial protocol", has every byte.
 * Knows bytes, lengths and the check; knows nothing of commands. One buffer serves a request and then its answer. */
#ifndef TLM_FRAME_H
#define TLM_FRAME_H

#include "tinylm.h"

#ifndef TLM_LARGEST_FRAME    /* tlm_sizes.h has it where RAM is scarce: 128..253 */
#define TLM_LARGEST_FRAME 253 /* below 254, so COBS adds one byte and never needs its code 0xFF */
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TLM_FRAME_START = 0x02,       /* STX */
    TLM_FRAME_END = 0x00,         /* NUL: never inside a frame, so it always means "between frames" */
    TLM_FRAME_CHECK_BYTES = 2,    /* CRC-16, little-endian, the last bytes of a body */
    TLM_FRAME_BODY_BYTES = TLM_LARGEST_FRAME
};

/* What a received byte was. */
enum tlm_frame_event {
    TLM_FRAME_OUTSIDE = 0,        /* no part of a frame: text */
    TLM_FRAME_INSIDE = 1,         /* part of a frame that is not complete, or a NUL between frames */
    TLM_FRAME_READY = 2           /* a whole frame with a good check: body[0..length-1], the check left out */
};

typedef struct {
    uint8_t length;               /* bytes in body, 0..TLM_FRAME_BODY_BYTES */
    uint8_t block_left;           /* bytes until the next COBS code, 0..253 */
    bool inside;                  /* after STX, before NUL */
    bool started;                 /* the first COBS code was read */
    bool broken;                  /* too long for body: wait for its NUL, then refuse it */
    uint8_t body[TLM_FRAME_BODY_BYTES];
} tlm_frame_t;

/* One more byte of a CRC-16/CCITT-FALSE (polynomial 0x1021, not reflected, no final xor); start with 0xFFFF. */
uint16_t tlm_crc16(uint16_t crc, uint8_t byte);

/* Take a received byte. Constant work a byte but for the last of a frame, so that a chip which polls its UART keeps up.
 * Returns an enum tlm_frame_event, or TLM_ERR_FRAME at the end of a frame that is too long, cut or damaged. */
int tlm_frame_take(tlm_frame_t *frame, uint8_t byte);

/* The check of the body that tlm_frame_take found ready. Returns it. */
uint16_t tlm_frame_check(const tlm_frame_t *frame);

/* Start an answer in the same buffer: the request is gone. */
void tlm_frame_begin(tlm_frame_t *frame, uint8_t sequence, uint8_t command, int status);

/* Add to the answer. What does not fit before the check is left out, so the caller bounds its sum (tlm_command.c). */
void tlm_frame_put_u8(tlm_frame_t *frame, uint8_t value);
void tlm_frame_put_u16(tlm_frame_t *frame, uint16_t value);
void tlm_frame_put_u32(tlm_frame_t *frame, uint32_t value);
void tlm_frame_put_text(tlm_frame_t *frame, const char *text, uint8_t most_bytes); /* length u8, bytes without the zero */

/* Add the check and send NUL, STX, COBS, NUL through tlm_port_write. */
void tlm_frame_send(tlm_frame_t *frame);

#ifdef __cplusplus
}
#endif
#endif
