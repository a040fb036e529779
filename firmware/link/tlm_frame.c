#include "tlm_frame.h"

uint16_t tlm_crc16(uint16_t crc, uint8_t byte)
{
    /* Eight steps of the polynomial x^16 + x^12 + x^5 + 1 at once, without a table. */
    uint8_t x = (uint8_t)((crc >> 8) ^ byte);
    x = (uint8_t)(x ^ (x >> 4));
    return (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)((uint16_t)x << 12) ^ (uint16_t)((uint16_t)x << 5) ^ x);
}

static uint16_t crc_of(const uint8_t *bytes, uint8_t count)
{
    uint16_t crc = 0xFFFFu;
    for (uint8_t i = 0; i < count; i++) {
        crc = tlm_crc16(crc, bytes[i]);
    }
    return crc;
}

/* Keep a decoded byte, or mark the frame as too long. */
static void keep(tlm_frame_t *frame, uint8_t byte)
{
    if (frame->length < TLM_FRAME_BODY_BYTES) {
        frame->body[frame->length++] = byte;
    } else {
        frame->broken = true;
    }
}

/* One byte of COBS. A code c announces c - 1 bytes and then, unless the frame ends there, a zero. */
static void decode(tlm_frame_t *frame, uint8_t byte)
{
    if (frame->block_left > 0) {
        frame->block_left--;
        keep(frame, byte);
        return;
    }
    if (frame->started) {
        keep(frame, 0);
    }
    frame->started = true;
    frame->block_left = (uint8_t)(byte - 1); /* byte is not 0 here; 254 more (code 0xFF) cannot fit and break it */
}

/* The frame's NUL came. */
static int finish(tlm_frame_t *frame)
{
    frame->inside = false;
    if (frame->broken || frame->block_left > 0 || frame->length < TLM_FRAME_CHECK_BYTES) {
        return TLM_ERR_FRAME;
    }
    frame->length = (uint8_t)(frame->length - TLM_FRAME_CHECK_BYTES);
    return crc_of(frame->body, frame->length) == tlm_frame_check(frame) ? (int)TLM_FRAME_READY : (int)TLM_ERR_FRAME;
}

int tlm_frame_take(tlm_frame_t *frame, uint8_t byte)
{
    if (frame->inside && byte == TLM_FRAME_END) {
        return finish(frame);
    }
    if (frame->inside) {
        decode(frame, byte);
        return TLM_FRAME_INSIDE;
    }
    if (byte == TLM_FRAME_START) {
        frame->inside = true;
        frame->started = false;
        frame->broken = false;
        frame->block_left = 0;
        frame->length = 0;
        return TLM_FRAME_INSIDE;
    }
    return byte == TLM_FRAME_END ? TLM_FRAME_INSIDE : TLM_FRAME_OUTSIDE;
}

uint16_t tlm_frame_check(const tlm_frame_t *frame)
{
    const uint8_t *check = frame->body + frame->length; /* length <= TLM_FRAME_BODY_BYTES - 2 once READY */
    return (uint16_t)(check[0] | (uint16_t)(check[1] << 8));
}

void tlm_frame_begin(tlm_frame_t *frame, uint8_t sequence, uint8_t command, int status)
{
    frame->length = 0;
    tlm_frame_put_u8(frame, sequence);
    tlm_frame_put_u8(frame, (uint8_t)(command | 0x80u));
    tlm_frame_put_u8(frame, (uint8_t)status);
}

void tlm_frame_put_u8(tlm_frame_t *frame, uint8_t value)
{
    if (frame->length < TLM_FRAME_BODY_BYTES - TLM_FRAME_CHECK_BYTES) {
        frame->body[frame->length++] = value;
    }
}

void tlm_frame_put_u16(tlm_frame_t *frame, uint16_t value)
{
    tlm_frame_put_u8(frame, (uint8_t)(value & 0xFFu));
    tlm_frame_put_u8(frame, (uint8_t)(value >> 8));
}

void tlm_frame_put_u32(tlm_frame_t *frame, uint32_t value)
{
    tlm_frame_put_u16(frame, (uint16_t)(value & 0xFFFFu));
    tlm_frame_put_u16(frame, (uint16_t)(value >> 16));
}

void tlm_frame_put_text(tlm_frame_t *frame, const char *text, uint8_t most_bytes)
{
    uint8_t count = 0;
    while (count < most_bytes && text[count] != 0) {
        count++;
    }
    tlm_frame_put_u8(frame, count);
    for (uint8_t i = 0; i < count; i++) {
        tlm_frame_put_u8(frame, (uint8_t)text[i]);
    }
}

/* COBS: before each run of bytes without a zero, its length + 1. Runs are at most 253 bytes, so codes at most 254. */
static void send_encoded(const uint8_t *body, uint8_t length)
{
    uint8_t start = 0;
    for (;;) {
        uint8_t end = start;
        while (end < length && body[end] != 0) {
            end++;
        }
        tlm_port_write((uint8_t)(end - start + 1));
        for (; start < end; start++) {
            tlm_port_write(body[start]);
        }
        if (end == length) {
            return;
        }
        start++; /* the zero itself: at most length, so it fits */
    }
}

void tlm_frame_send(tlm_frame_t *frame)
{
    uint16_t crc = crc_of(frame->body, frame->length);
    frame->body[frame->length++] = (uint8_t)(crc & 0xFFu); /* put_u8 left room for both */
    frame->body[frame->length++] = (uint8_t)(crc >> 8);
    tlm_port_write(TLM_FRAME_END); /* the host may hang in a frame that noise began */
    tlm_port_write(TLM_FRAME_START);
    send_encoded(frame->body, frame->length);
    tlm_port_write(TLM_FRAME_END);
}
