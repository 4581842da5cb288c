/* standard_webhooks.c - see standard_webhooks.h. */
#include "daemon/events/standard_webhooks.h"

#include <sodium.h>
#include <stdio.h>

#define PREFIX     "whsec_"
#define MAC_BYTES  crypto_auth_hmacsha256_BYTES
#define BASE64_MAX sodium_base64_ENCODED_LEN(MAC_BYTES, sodium_base64_VARIANT_ORIGINAL)

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Cuts the next word off; empty at the end. */
static struct slice next_word(struct slice *rest)
{
    size_t from = 0, to;
    while (from < rest->len && is_space(rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !is_space(rest->ptr[to]);)
        to++;
    struct slice word = slice_sub(*rest, from, to);
    *rest = slice_sub(*rest, to, rest->len);
    return word;
}

static enum status decode(struct slice word, struct webhook_key *key, struct err *err)
{
    struct slice text = slice_sub(word, sizeof(PREFIX) - 1, word.len);
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL,
                                   sodium_base64_VARIANT_ORIGINAL_NO_PADDING};
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        if (sodium_base642bin(key->bytes, sizeof(key->bytes), text.ptr, text.len, NULL, &key->len,
                              NULL, variants[i]) == 0 &&
            key->len > 0)
            return STATUS_OK;
    }
    return err_set(err, RETRY_REJECT_CONFIG, "events.secret",
                   "the secret begins with whsec_ but is not followed by base64 of 1 to %d bytes",
                   WEBHOOK_KEY_MAX_BYTES);
}

/* All words begin with whsec_: then they are several secrets and not one text with spaces. */
static bool are_encoded(struct slice secret)
{
    size_t count = 0;
    for (struct slice word; (word = next_word(&secret)).len > 0; count++)
        if (!slice_starts(word, SLICE(PREFIX)))
            return false;
    return count > 0;
}

enum status webhook_keys_parse(struct slice secret, struct webhook_keys *keys, struct err *err)
{
    memset(keys, 0, sizeof(*keys));
    secret = slice_trim(secret);
    if (secret.len == 0)
        return STATUS_OK;
    if (!are_encoded(secret)) {
        if (secret.len > WEBHOOK_KEY_MAX_BYTES)
            return err_set(err, RETRY_REJECT_CONFIG, "events.secret",
                           "the secret has more than %d bytes", WEBHOOK_KEY_MAX_BYTES);
        keys->count = 1;
        keys->keys[0].len = secret.len;
        memcpy(keys->keys[0].bytes, secret.ptr, secret.len);
        return STATUS_OK;
    }
    for (struct slice word; (word = next_word(&secret)).len > 0;) {
        if (keys->count == WEBHOOK_SECRETS_MAX)
            return err_set(err, RETRY_REJECT_CONFIG, "events.secret", "more than %d secrets",
                           WEBHOOK_SECRETS_MAX);
        if (decode(word, &keys->keys[keys->count++], err) != STATUS_OK) {
            webhook_keys_wipe(keys);
            return STATUS_FAILED;
        }
    }
    return STATUS_OK;
}

void webhook_keys_wipe(struct webhook_keys *keys)
{
    sodium_memzero(keys, sizeof(*keys));
}

void webhook_sign(const struct webhook_keys *keys, const char *id, int64_t timestamp_s,
                  struct slice body, struct buf *out)
{
    char head[128];
    int head_len = snprintf(head, sizeof(head), "%s.%lld.", id, (long long)timestamp_s);
    for (size_t i = 0; i < keys->count; i++) {
        crypto_auth_hmacsha256_state state;
        unsigned char mac[MAC_BYTES];
        char text[BASE64_MAX];
        crypto_auth_hmacsha256_init(&state, keys->keys[i].bytes, keys->keys[i].len);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, (size_t)head_len);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
        crypto_auth_hmacsha256_final(&state, mac);
        sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
        buf_put_str(out, i ? " v1," : "v1,");
        buf_put_str(out, text);
    }
}
