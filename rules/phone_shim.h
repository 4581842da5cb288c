/* phone_shim.h - libphonenumber behind a C function; no exception comes out. Some 50 us a call. */
#ifndef TRIBUTARY_RULES_PHONE_SHIM_H
#define TRIBUTARY_RULES_PHONE_SHIM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum phone_verdict {
    PHONE_VALID,
    PHONE_INVALID,
    PHONE_TOO_SHORT,
    PHONE_TOO_LONG,
    PHONE_NO_COUNTRY,
};

struct phone_parsed {
    char e164[24];     /* "+8613812345678", when valid */
    char extension[12];
};

/* `region` is ISO 3166 alpha-2 or "" for numbers that begin with +. */
enum phone_verdict phone_library_parse(const char *text, size_t len, const char *region,
                                       struct phone_parsed *parsed);

#ifdef __cplusplus
}
#endif
#endif
