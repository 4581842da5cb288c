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
struct ip_address {
    uint8_t bytes[16];
};
struct ip_range {
    struct ip_address address;
    unsigned prefix_bits; /* of the 128 */
};

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]:443", "192.0.2.1:80", "::ffff:192.0.2.1". */
bool ip_parse(struct slice text, struct ip_address *address);
bool ip_from_socket(const struct sockaddr *socket, struct ip_address *address);
void ip_format(const struct ip_address *address, char out[ADDRESS_TEXT_MAX]);
/* An address or "10.0.0.0/8". */
bool ip_range_parse(struct slice text, struct ip_range *range);
bool ip_in(const struct ip_address *address, const struct ip_range *ranges, size_t count);
bool ip_is_loopback(const struct ip_address *address);

struct ip_address forwarded_client(const struct ip_address *peer, const struct http_header *headers,
                                size_t header_count, const struct ip_range *trusted,
                                size_t trusted_count);

#endif
