/* The serial line of an emulator in C: a TCP port of 127.0.0.1, one client at a time, what tinylm/emulators/line.py is in Python.
 * Ends the process when standard input does. */
#ifndef TLM_TCP_LINE_H
#define TLM_TCP_LINE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536 };

static struct {
    int listener, client;
    uint8_t in[BUFFER_BYTES], out[BUFFER_BYTES];
    size_t in_at, in_end, out_end;
} line = {.client = -1};

static void flush_output(void)
{
    size_t sent = 0;
    while (line.client >= 0 && sent < line.out_end) {
        ssize_t n = send(line.client, line.out + sent, line.out_end - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            break;
        }
        sent += (size_t)n;
    }
    line.out_end = 0;
}

static void send_byte(uint8_t byte)
{
    line.out[line.out_end++] = byte;
    if (line.out_end == BUFFER_BYTES) {
        flush_output();
    }
}

static int has_input(void)
{
    return line.in_at < line.in_end;
}

/* Ends the process with its parent, takes a new client, reads what has come. */
static void attend(int timeout_ms)
{
    struct pollfd watched[2] = {{0, POLLIN, 0}, {line.client < 0 ? line.listener : line.client, POLLIN, 0}};
    flush_output();
    if (poll(watched, has_input() ? 1 : 2, timeout_ms) <= 0) {
        return;
    }
    if (watched[0].revents != 0) {
        exit(0);
    }
    if (watched[1].revents != 0 && line.client < 0) {
        const int at_once = 1; /* else the second small packet waits for an answer to the first: 40 ms */
        line.client = accept(line.listener, NULL, NULL);
        (void)setsockopt(line.client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    } else if (watched[1].revents != 0) {
        ssize_t n = recv(line.client, line.in, BUFFER_BYTES, 0);
        line.in_at = 0;
        line.in_end = n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            close(line.client);
            line.client = -1;
        }
    }
}

/* Listens, and prints the port. */
static void listen_locally(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    line.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(line.listener, (struct sockaddr *)&at, size) != 0 || listen(line.listener, 1) != 0 ||
        getsockname(line.listener, (struct sockaddr *)&at, &size) != 0) {
        perror("listen");
        exit(1);
    }
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
}

#endif
