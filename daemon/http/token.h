/*
 * token.h - the secret that opens the private listener.
 *
 * 32 random bytes in hex, in state_dir/token (mode 0600), made at the first start; or what the configuration says. The
 * browser gets a cookie that is derived from it. Comparisons take the same time whatever is wrong.
 */
#ifndef TRIBUTARY_HTTP_TOKEN_H
#define TRIBUTARY_HTTP_TOKEN_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#define TOKEN_MAX_BYTES  256
#define TOKEN_LEAST_BYTES 16

struct token {
    char text[TOKEN_MAX_BYTES + 1];
    char cookie[65];
};

/* `configured` empty: read from state_dir, or made there. */
MUST_CHECK enum status token_load(const char *state_dir, struct slice configured, struct token *token,
                                  struct err *err);
bool token_is(const struct token *token, struct slice given);
bool token_cookie_is(const struct token *token, struct slice given);

#endif
