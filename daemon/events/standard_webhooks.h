/*
 * standard_webhooks.h - signing deliveries as Standard Webhooks 1.0.0 says.
 *
 * webhook-signature is `v1,` and base64 of HMAC-SHA256 over "id.timestamp.body". A secret is
 * `whsec_` and base64 of the key, or plain text that is the key itself. While a secret is being
 * changed two or more `whsec_` secrets may be given, separated by white space: each signs, new one
 * first.
 */
#ifndef TRIBUTARY_EVENTS_STANDARD_WEBHOOKS_H
#define TRIBUTARY_EVENTS_STANDARD_WEBHOOKS_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#define WEBHOOK_SECRETS_MAX   4
#define WEBHOOK_KEY_MAX_BYTES 512

struct webhook_key {
    size_t len;
    unsigned char bytes[WEBHOOK_KEY_MAX_BYTES];
};
struct webhook_keys {
    size_t count; /* 0: deliveries are not signed */
    struct webhook_key keys[WEBHOOK_SECRETS_MAX];
};

/* RETRY_REJECT_CONFIG for a secret that cannot be read; its text is never in the message. */
MUST_CHECK enum status webhook_keys_parse(struct slice secret, struct webhook_keys *keys,
                                          struct err *err);
void webhook_keys_wipe(struct webhook_keys *keys);

/* Appends the value of webhook-signature; nothing without keys. */
void webhook_sign(const struct webhook_keys *keys, const char *id, int64_t timestamp_s,
                  struct slice body, struct buf *out);

#endif
