/* forwarded.c - see forwarded.h. RFC 7239 for Forwarded. */
#include "daemon/http/forwarded.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const struct ip_address *address)
{
    return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static bool parse_host(struct slice text, struct ip_address *address)
{
    char host[ADDRESS_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof(host) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    if (inet_pton(AF_INET, host, address->bytes + 12) == 1) {
        memcpy(address->bytes, mapped_prefix, sizeof(mapped_prefix));
        return true;
    }
    return inet_pton(AF_INET6, host, address->bytes) == 1;
}

static bool is_port(struct slice text)
{
    int64_t port;
    return text.len > 0 && text.len <= 5 && slice_to_int64(text, &port) && port >= 0 && port <= 65535;
}

bool ip_parse(struct slice text, struct ip_address *address)
{
    if (text.len > 0 && text.ptr[0] == '[') {
        ptrdiff_t close = slice_find_byte(text, ']');
        if (close < 0)
            return false;
        struct slice after = slice_sub(text, (size_t)close + 1, text.len);
        if (after.len > 0 && (after.ptr[0] != ':' || !is_port(slice_sub(after, 1, after.len))))
            return false;
        return parse_host(slice_sub(text, 1, (size_t)close), address);
    }
    ptrdiff_t colon = slice_find_byte(text, ':');
    if (colon > 0 && slice_find_byte(slice_sub(text, (size_t)colon + 1, text.len), ':') < 0 &&
        slice_find_byte(slice_sub(text, 0, (size_t)colon), '.') > 0) {
        if (!is_port(slice_sub(text, (size_t)colon + 1, text.len)))
            return false;
        text = slice_sub(text, 0, (size_t)colon);
    }
    return parse_host(text, address);
}

bool ip_from_socket(const struct sockaddr *socket, struct ip_address *address)
{
    if (socket && socket->sa_family == AF_INET) {
        memcpy(address->bytes, mapped_prefix, sizeof(mapped_prefix));
        memcpy(address->bytes + 12, &((const struct sockaddr_in *)socket)->sin_addr, 4);
        return true;
    }
    if (socket && socket->sa_family == AF_INET6) {
        memcpy(address->bytes, &((const struct sockaddr_in6 *)socket)->sin6_addr, 16);
        return true;
    }
    return false;
}

void ip_format(const struct ip_address *address, char out[ADDRESS_TEXT_MAX])
{
    const char *text = is_mapped(address)
                           ? inet_ntop(AF_INET, address->bytes + 12, out, ADDRESS_TEXT_MAX)
                           : inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_MAX);
    if (text == NULL)
        out[0] = '\0';
}

bool ip_range_parse(struct slice text, struct ip_range *range)
{
    ptrdiff_t slash = slice_find_byte(text, '/');
    struct slice host = slash < 0 ? text : slice_sub(text, 0, (size_t)slash);
    if (!parse_host(host, &range->address))
        return false;
    bool four = slice_find_byte(host, ':') < 0;
    range->prefix_bits = 128;
    if (slash < 0)
        return true;
    int64_t bits;
    if (!slice_to_int64(slice_sub(text, (size_t)slash + 1, text.len), &bits) || bits < 0 ||
        bits > (four ? 32 : 128))
        return false;
    range->prefix_bits = (unsigned)bits + (four ? 96 : 0);
    return true;
}

bool ip_in(const struct ip_address *address, const struct ip_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned whole = ranges[i].prefix_bits / 8, rest = ranges[i].prefix_bits % 8;
        const uint8_t *range = ranges[i].address.bytes;
        if (memcmp(address->bytes, range, whole) != 0)
            continue;
        if (rest == 0 || ((address->bytes[whole] ^ range[whole]) >> (8 - rest)) == 0)
            return true;
    }
    return false;
}

bool ip_is_loopback(const struct ip_address *address)
{
    static const uint8_t six[16] = {[15] = 1};
    return (is_mapped(address) && address->bytes[12] == 127) || memcmp(address->bytes, six, 16) == 0;
}

/* The hops a header tells, left to right; only the last HOPS_MAX are kept. */
struct hops {
    size_t count;
    struct slice list[HOPS_MAX];
};

static void add_hop(struct hops *hops, struct slice hop)
{
    if (hops->count == HOPS_MAX) {
        memmove(hops->list, hops->list + 1, sizeof(hops->list) - sizeof(hops->list[0]));
        hops->count--;
    }
    hops->list[hops->count++] = slice_trim(hop);
}

/* Takes the text up to `stop` outside quotes off the front. */
static struct slice take_until(struct slice *rest, char stop)
{
    bool quoted = false;
    size_t end = 0;
    for (; end < rest->len; end++) {
        if (quoted && rest->ptr[end] == '\\' && end + 1 < rest->len)
            end++;
        else if (rest->ptr[end] == '"')
            quoted = !quoted;
        else if (rest->ptr[end] == stop && !quoted)
            break;
    }
    struct slice piece = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end + 1, rest->len);
    return piece;
}

/* One element of Forwarded: `for="[2001:db8::1]:80";proto=https`. An element without for= is a hop we do not
 * know, which ends the walk. */
static struct slice forwarded_for(struct slice element)
{
    while (element.len > 0) {
        struct slice pair = slice_trim(take_until(&element, ';'));
        if (pair.len > 4 && slice_eq_nocase(slice_sub(pair, 0, 4), SLICE("for="))) {
            struct slice value = slice_trim(slice_sub(pair, 4, pair.len));
            if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
                value = slice_sub(value, 1, value.len - 1);
            return value;
        }
    }
    return SLICE_EMPTY;
}

static bool read_hops(const struct http_header *headers, size_t header_count, const char *name,
                      bool standard, struct hops *hops)
{
    bool found = false;
    for (size_t i = 0; i < header_count; i++) {
        if (!slice_eq_nocase(headers[i].name, slice_str(name)))
            continue;
        found = true;
        struct slice rest = headers[i].value;
        while (rest.len > 0) {
            struct slice element = standard ? take_until(&rest, ',') : SLICE_EMPTY;
            if (!standard) {
                ptrdiff_t comma = slice_find_byte(rest, ',');
                element = slice_sub(rest, 0, comma < 0 ? rest.len : (size_t)comma);
                rest = slice_sub(rest, element.len + 1, rest.len);
            }
            add_hop(hops, standard ? forwarded_for(element) : element);
        }
    }
    return found;
}

struct ip_address forwarded_client(const struct ip_address *peer, const struct http_header *headers,
                                size_t header_count, const struct ip_range *trusted,
                                size_t trusted_count)
{
    struct ip_address client = *peer;
    struct hops hops = {0};
    if (!ip_in(peer, trusted, trusted_count))
        return client;
    if (!read_hops(headers, header_count, "X-Forwarded-For", false, &hops))
        read_hops(headers, header_count, "Forwarded", true, &hops);
    while (hops.count > 0 && ip_in(&client, trusted, trusted_count)) {
        struct ip_address hop;
        if (!ip_parse(hops.list[--hops.count], &hop))
            break;
        client = hop;
    }
    return client;
}
