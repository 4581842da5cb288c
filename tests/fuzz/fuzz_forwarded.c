/* fuzz_forwarded.c - any bytes as what proxies say. A peer that is not trusted is never anybody else, and an address that
 * is read is written and read as the same. */
#include "daemon/http/forwarded.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of((const char *)data, size);
    ptrdiff_t line = slice_find_byte(all, '\n');
    size_t end = line < 0 ? all.len : (size_t)line;
    const struct http_header headers[] = {{SLICE("Forwarded"), slice_sub(all, 0, end)},
                                          {SLICE("x-forwarded-for"), slice_sub(all, end + 1, all.len)}};
    struct ip_range trusted[2];
    struct ip_address stranger, proxy, address;
    must(ip_range_parse(SLICE("10.0.0.0/8"), &trusted[0]) && ip_range_parse(SLICE("fd00::/8"), &trusted[1]));
    must(ip_parse(SLICE("192.0.2.1"), &stranger) && ip_parse(SLICE("10.9.8.7"), &proxy));
    address = forwarded_client(&stranger, headers, 2, trusted, 2);
    must(memcmp(&address, &stranger, sizeof(address)) == 0);
    (void)forwarded_client(&proxy, headers, line < 0 ? 1 : 2, trusted, 2);
    struct ip_range range;
    (void)ip_range_parse(all, &range);
    if (ip_parse(all, &address)) {
        char text[ADDRESS_TEXT_MAX];
        struct ip_address again;
        ip_format(&address, text);
        must(ip_parse(slice_str(text), &again) && memcmp(&address, &again, sizeof(again)) == 0);
    }
    return 0;
}
