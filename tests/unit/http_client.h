/* http_client.h - a socket to our own server, for tests: sends exact bytes, reads exact replies. */
#ifndef TRIBUTARY_TESTS_HTTP_CLIENT_H
#define TRIBUTARY_TESTS_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int client_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int client_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        bytes += sent;
        len -= (size_t)sent;
    }
    return 0;
}

/* Reads until the connection closes, `replies` whole replies with Content-Length came, or 10 s passed without a byte.
 * A NUL ends the text. */
static inline size_t client_read(int fd, char *out, size_t size, unsigned replies)
{
    size_t len = 0;
    for (;;) {
        out[len] = '\0';
        const char *at = out;
        unsigned seen = 0;
        while (seen < replies) {
            const char *end = strstr(at, "\r\n\r\n");
            const char *length = end ? strcasestr(at, "Content-Length:") : NULL;
            if (end == NULL)
                break;
            size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
            if ((size_t)(out + len - (end + 4)) < body)
                break;
            at = end + 4 + body;
            seen++;
        }
        if (replies > 0 && seen == replies)
            return len;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (len + 1 >= size || poll(&wait, 1, 10000) <= 0)
            return len;
        ssize_t got = recv(fd, out + len, size - len - 1, 0);
        if (got <= 0)
            return len;
        len += (size_t)got;
    }
}

/* One request on a fresh connection, one reply. */
static inline size_t client_once(unsigned port, const char *request, char *out, size_t size)
{
    int fd = client_connect(port);
    out[0] = '\0';
    if (fd < 0)
        return 0;
    (void)client_send(fd, request, strlen(request));
    size_t len = client_read(fd, out, size, 1);
    close(fd);
    return len;
}

static inline unsigned reply_status(const char *reply)
{
    return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(reply + 9, NULL, 10) : 0;
}

#endif
