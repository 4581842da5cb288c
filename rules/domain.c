/* domain.c - see domain.h. IDNA 2008 with the mappings of UTS 46, by libidn2. */
#include "rules/domain.h"

#include <idn2.h>

#include "rules/text.h"

#define DOMAIN_MAX_BYTES 253
#define LABEL_MAX_BYTES  63

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool labels_are_valid(struct slice domain)
{
    size_t labels = 0, length = 0;
    bool top_has_letter = false;
    if (domain.len == 0 || domain.len > DOMAIN_MAX_BYTES)
        return false;
    for (size_t i = 0; i <= domain.len; i++) {
        char c = i < domain.len ? domain.ptr[i] : '.';
        if (c == '.') {
            if (length == 0 || length > LABEL_MAX_BYTES || domain.ptr[i - 1] == '-' || domain.ptr[i - length] == '-')
                return false;
            labels++;
            if (i < domain.len) {
                length = 0;
                top_has_letter = false;
            }
            continue;
        }
        if (!is_alnum(c) && c != '-' && c != '_')
            return false;
        top_has_letter |= c >= 'a';
        length++;
    }
    return labels >= 2 && top_has_letter && length >= 2;
}

struct slice domain_canonical(struct slice domain, struct arena *arena)
{
    while (domain.len > 0 && domain.ptr[domain.len - 1] == '.')
        domain.len--;
    if (domain.len == 0 || domain.len > DOMAIN_MAX_BYTES * 4)
        return SLICE_EMPTY;
    if (text_is_plain(domain)) {
        domain = text_lower(domain, arena);
        return labels_are_valid(domain) ? domain : SLICE_EMPTY;
    }
    uint8_t *ascii = NULL;
    const char *text = arena_str(arena, domain);
    int rc = idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    struct slice result = rc == IDN2_OK ? arena_dup(arena, slice_str((const char *)ascii)) : SLICE_EMPTY;
    if (rc == IDN2_OK)
        idn2_free(ascii);
    return labels_are_valid(result) ? result : SLICE_EMPTY;
}
