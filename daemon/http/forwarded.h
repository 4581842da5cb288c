/*
 * forwarded.h - whose request it is, when proxies stand before us.
 *
 * The peer's address counts unless it is a trusted proxy; then the hop the proxy tells (X-Forwarded-For, or
 * Forwarded when there is none of the former) counts, and so on from the right, up to the first hop that is not
 * trusted. So a client cannot give itself another address. Pure; fuzzed.
 */
#ifndef TRIBUTARY_HTTP_FORWARDED_H
#define TRIBUTARY_HTTP_FORWARDED_H

#include <netinet/in.h>

#include "connectors/connector.h"

#define ADDRESS_TEXT_MAX 48
#define HOPS_MAX         32 /* further ones to the left are not looked at */

/* An IPv4 address is kept as ::ffff:a.b.c.d. */
struct address {
    uint8_t bytes[16];
};
struct address_range {
    struct address address;
    unsigned prefix_bits; /* of the 128 */
};

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]:443", "192.0.2.1:80", "::ffff:192.0.2.1". */
bool ip_address_parse(struct slice text, struct address *address);
bool address_from_socket(const struct sockaddr *socket, struct address *address);
void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]);
/* An address or "10.0.0.0/8". */
bool address_range_parse(struct slice text, struct address_range *range);
bool address_in(const struct address *address, const struct address_range *ranges, size_t count);
bool address_is_loopback(const struct address *address);

struct address forwarded_client(const struct address *peer, const struct http_header *headers,
                                size_t header_count, const struct address_range *trusted,
                                size_t trusted_count);

#endif
