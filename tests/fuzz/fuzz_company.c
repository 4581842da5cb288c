/* fuzz_company.c - any bytes as a company's name and as an address. */
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/address.h"
#include "rules/company.h"
#include "rules/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 << 20);
    struct slice text = slice_of((const char *)data, size);
    struct company_parts company;
    struct address_parts address;
    company_parse(text, arena, &company);
    address_parse(text, size & 1 ? "CN" : "US", arena, &address);
    const struct slice texts[] = {company.core, company.region, company.legal, company.branch, company.note, address.line, address.province,
                                  address.city, address.district, address.street, address.postal_code, address.folded, address.numbers};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].ptr == NULL || !utf8_valid(texts[i]))
            abort();
    }
    struct slice clean = text_clean(text, size & 2, arena);
    if (!utf8_valid(clean) || !slice_eq(clean, text_clean(clean, size & 2, arena)))
        abort();
    text_ascii(clean, arena);
    text_fold(clean, arena);
    text_jaro_winkler(text, clean);
    if (arena_failed(arena))
        abort();
    arena_free(&arena);
    return 0;
}
