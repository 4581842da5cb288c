/* http_client.c - see http_client.h. */
#include "connectors/http_client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#define REDIRECTS_MAX 5
#define HEADERS_MAX   128
#define HEADERS_BYTES ((size_t)64 << 10)
#define CONNECT_MS    10000
#define WAIT_SLICE_MS 1000 /* at most this long between looks at the deadline */

struct http_client {
    const struct clock *clock;
    const struct stop *stop;
    CURLM *multi;
    CURL *easy;
    /* Of the exchange under way. */
    struct buf body;
    struct buf headers; /* raw lines of the newest answer */
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_client *client = data;
    buf_put(&client->body, bytes, size * count);
    client->too_large = client->too_large || buf_failed(&client->body);
    return client->too_large ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
    struct http_client *client = data;
    size_t len = size * count;
    if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) /* a new answer (after 100 Continue) */
        buf_reset(&client->headers);
    else
        buf_put(&client->headers, bytes, len);
    client->too_large = client->too_large || buf_failed(&client->headers);
    return client->too_large ? 0 : len;
}

struct http_client *http_client_new(const struct clock *clock, const struct stop *stop,
                                    struct err *err)
{
    pthread_once(&once, init_curl);
    struct http_client *client = calloc(1, sizeof(*client));
    if (client) {
        client->clock = clock;
        client->stop = stop;
        client->headers = BUF_INIT(HEADERS_BYTES);
        client->multi = curl_multi_init();
        client->easy = curl_easy_init();
    }
    if (client == NULL || client->multi == NULL || client->easy == NULL) {
        (void)err_set_errno(err, 12, "http.memory", "cannot make an HTTP client");
        http_client_free(&client);
    }
    return client;
}

void http_client_free(struct http_client **client)
{
    if (*client == NULL)
        return;
    if ((*client)->easy)
        curl_easy_cleanup((*client)->easy);
    if ((*client)->multi)
        curl_multi_cleanup((*client)->multi);
    buf_free(&(*client)->body);
    buf_free(&(*client)->headers);
    free(*client);
    *client = NULL;
}

static struct curl_slist *header_list(const struct http_request *request)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_field *field = &request->headers[i];
        struct buf line = BUF_INIT(65536);
        buf_put_slice(&line, field->name);
        buf_put_str(&line, ": ");
        buf_put_slice(&line, field->value);
        buf_put_byte(&line, '\0');
        struct curl_slist *longer = buf_failed(&line) ? NULL : curl_slist_append(list, line.data);
        buf_free(&line);
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static void set_up(struct http_client *client, const struct http_request *request, const char *url,
                   struct curl_slist *headers)
{
    CURL *easy = client->easy;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* by hand: same host only */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tributary");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
    if (request->post) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->post->len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->post->ptr);
    }
    client->error[0] = '\0';
    client->too_large = false;
    client->body.max_bytes = request->max_bytes;
    buf_reset(&client->body);
    buf_reset(&client->headers);
}

/* Turns the crank until the exchange is over, the deadline passes or the stop is set. */
static enum status perform(struct http_client *client, int64_t until_us, CURLcode *result)
{
    struct curl_waitfd stop_fd = {.fd = client->stop->fd, .events = CURL_WAIT_POLLIN};
    int running = 1;
    for (;;) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            *result = CURLE_FAILED_INIT;
            return STATUS_OK;
        }
        int left;
        CURLMsg *message = curl_multi_info_read(client->multi, &left);
        if (message && message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return STATUS_OK;
        }
        int64_t left_ms = (until_us - clock_monotonic_us(client->clock)) / 1000;
        if (stop_is_set(client->stop))
            return STATUS_STOPPED;
        if (left_ms <= 0)
            return STATUS_TIMEOUT;
        int wait_ms = left_ms < WAIT_SLICE_MS ? (int)left_ms + 1 : WAIT_SLICE_MS;
        (void)curl_multi_poll(client->multi, &stop_fd, 1, wait_ms, NULL);
    }
}

static enum status curl_failed(const struct http_client *client, CURLcode code, struct err *err)
{
    const char *why = client->error[0] ? client->error : curl_easy_strerror(code);
    if (client->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return err_set(err, RETRY_NONE, "http.too_large", "the answer is larger than %zu bytes",
                       client->body.max_bytes);
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set(err, RETRY_REJECT_CONFIG, "http.url", "the URL cannot be used: %s", why);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(
            err, RETRY_LATER, "http.certificate",
            "the server's certificate is not trusted: %s; hint: renew it, or install its "
            "authority on this machine",
            why);
    default:
        return err_set(err, RETRY_LATER, "http.failed", "no answer: %s", why);
    }
}

static enum status exchange(struct http_client *client, const struct http_request *request,
                            const char *url, int64_t until_us, struct err *err)
{
    struct curl_slist *headers = header_list(request);
    if (headers == NULL && request->header_count > 0)
        return err_set_errno(err, 12, "http.memory", "cannot hold the request");
    set_up(client, request, url, headers);
    CURLcode code = CURLE_FAILED_INIT;
    enum status status = STATUS_OK;
    if (curl_multi_add_handle(client->multi, client->easy) == CURLM_OK) {
        status = perform(client, until_us, &code);
        curl_multi_remove_handle(client->multi, client->easy);
    }
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (status == STATUS_TIMEOUT)
        (void)err_set(err, RETRY_LATER, "http.deadline", "no complete answer within %lld ms",
                      (long long)request->deadline_ms);
    if (status == STATUS_OK && code != CURLE_OK)
        return curl_failed(client, code, err);
    return status;
}

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    (void)curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);
    return text;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *left = url_part(a, part), *right = url_part(b, part);
    bool same = left && right && slice_eq_nocase(slice_str(left), slice_str(right));
    curl_free(left);
    curl_free(right);
    return same;
}

/* Same host; same scheme and port, or from http up to https. */
static bool may_follow(const char *from, const char *to)
{
    CURLU *a = curl_url(), *b = curl_url();
    bool may = a && b && curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
               curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
               same_part(a, b, CURLUPART_HOST);
    if (may && !(same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_PORT))) {
        char *was = url_part(a, CURLUPART_SCHEME), *will = url_part(b, CURLUPART_SCHEME);
        may = was && will && strcmp(was, "http") == 0 && strcmp(will, "https") == 0;
        curl_free(was);
        curl_free(will);
    }
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return may;
}

const char *http_resolve(const char *url, struct slice reference, struct arena *arena)
{
    CURLU *parts = curl_url();
    char *whole = NULL;
    const char *resolved = NULL;
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_URL, arena_str(arena, reference), 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_URL, &whole, 0) == CURLUE_OK && may_follow(url, whole))
        resolved = arena_str(arena, slice_str(whole));
    curl_free(whole);
    curl_url_cleanup(parts);
    return resolved;
}

static enum status keep_response(struct http_client *client, struct arena *arena,
                                 struct http_response *response, struct err *err)
{
    long status = 0;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    *response = (struct http_response){.status = (unsigned)status};
    response->body = arena_dup(arena, buf_slice(&client->body));
    response->headers = ARENA_ARRAY(arena, struct http_field, HEADERS_MAX);
    struct slice rest = arena_dup(arena, buf_slice(&client->headers));
    while (rest.len > 0 && response->headers && response->header_count < HEADERS_MAX) {
        ptrdiff_t feed = slice_find_byte(rest, '\n');
        struct slice line = slice_sub(rest, 0, feed < 0 ? rest.len : (size_t)feed);
        ptrdiff_t colon = slice_find_byte(line, ':');
        if (colon > 0)
            response->headers[response->header_count++] =
                (struct http_field){slice_trim(slice_sub(line, 0, (size_t)colon)),
                                    slice_trim(slice_sub(line, (size_t)colon + 1, line.len))};
        rest = slice_sub(rest, feed < 0 ? rest.len : (size_t)feed + 1, rest.len);
    }
    if (arena_failed(arena))
        return err_set_errno(err, 12, "http.memory", "cannot hold an answer of %zu bytes",
                             client->body.len);
    return STATUS_OK;
}

enum status http_client_send(struct http_client *client, const struct http_request *request,
                             struct arena *arena, struct http_response *response, struct err *err)
{
    int64_t until_us = clock_monotonic_us(client->clock) + request->deadline_ms * 1000;
    const char *url = request->url;
    for (int redirects = 0;; redirects++) {
        enum status status = exchange(client, request, url, until_us, err);
        if (status != STATUS_OK)
            return status;
        char *next = NULL;
        curl_easy_getinfo(client->easy, CURLINFO_REDIRECT_URL, &next);
        if (next == NULL)
            return keep_response(client, arena, response, err);
        if (redirects == REDIRECTS_MAX)
            return err_set(err, RETRY_LATER, "http.redirects", "more than %d redirects",
                           REDIRECTS_MAX);
        if (!may_follow(url, next))
            return err_set(
                err, RETRY_NONE, "http.redirect",
                "the server sends us to another place, '%.200s'; hint: put that into url", next);
        url = arena_str(arena, slice_str(next));
    }
}

struct slice http_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (slice_eq_nocase(response->headers[i].name, slice_str(name)))
            return response->headers[i].value;
    }
    return SLICE_EMPTY;
}

int64_t http_retry_after_ms(const struct http_response *response, const struct clock *clock)
{
    struct slice value = http_header(response, "Retry-After");
    char text[64];
    if (value.len == 0 || value.len >= sizeof(text))
        return -1;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    char *end;
    double seconds = isdigit((unsigned char)text[0]) ? strtod(text, &end) : -1;
    if (seconds >= 0 && *end == '\0')
        return seconds > 1e9 ? INT64_C(1000000000000) : (int64_t)(seconds * 1000 + 0.5);
    time_t at = curl_getdate(text, NULL);
    if (at < 0)
        return -1;
    int64_t left_ms = (int64_t)at * 1000 - clock_wall_us(clock) / 1000;
    return left_ms > 0 ? left_ms : 0;
}

static bool rel_is_next(struct slice params)
{
    for (size_t i = 0; i + 4 <= params.len; i++) {
        if (!slice_eq_nocase(slice_sub(params, i, i + 4), SLICE("rel=")))
            continue;
        struct slice value = slice_sub(params, i + 4, params.len);
        bool quoted = value.len > 0 && value.ptr[0] == '"';
        value = slice_sub(value, quoted, value.len);
        size_t len = 0;
        while (len < value.len && value.ptr[len] != '"' && value.ptr[len] != ';' &&
               (quoted || value.ptr[len] != ' '))
            len++;
        value.len = len;
        if (slice_eq_nocase(slice_trim(value), SLICE("next")))
            return true;
    }
    return false;
}

struct slice http_link_next(const struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (!slice_eq_nocase(response->headers[i].name, SLICE("Link")))
            continue;
        struct slice rest = response->headers[i].value;
        for (;;) {
            ptrdiff_t open = slice_find_byte(rest, '<');
            ptrdiff_t close = slice_find_byte(rest, '>');
            if (open < 0 || close < open)
                break;
            struct slice target = slice_sub(rest, (size_t)open + 1, (size_t)close);
            rest = slice_sub(rest, (size_t)close + 1, rest.len);
            ptrdiff_t following =
                slice_find_byte(rest, '<'); /* parameters end before the next target */
            if (rel_is_next(slice_sub(rest, 0, following < 0 ? rest.len : (size_t)following)))
                return target;
        }
    }
    return SLICE_EMPTY;
}

struct slice http_basic(struct slice s, struct arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, (s.len + 2) / 3 * 4 + 1);
    size_t len = 0;
    for (size_t i = 0; out && i < s.len; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)s.ptr[i] << 16;
        bits |= i + 1 < s.len ? (uint32_t)(unsigned char)s.ptr[i + 1] << 8 : 0;
        bits |= i + 2 < s.len ? (uint32_t)(unsigned char)s.ptr[i + 2] : 0;
        out[len++] = digits[bits >> 18];
        out[len++] = digits[bits >> 12 & 63];
        out[len++] = i + 1 < s.len ? digits[bits >> 6 & 63] : '=';
        out[len++] = i + 2 < s.len ? digits[bits & 63] : '=';
    }
    return slice_of(out, len);
}

static void put_escaped(struct buf *url, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (isalnum(c) || strchr("-._~", c) != NULL)
            buf_put_byte(url, c);
        else
            buf_printf(url, "%%%02X", c);
    }
}

void http_url_add(struct buf *url, struct slice name, struct slice value)
{
    buf_put_byte(url, slice_find_byte(buf_slice(url), '?') < 0 ? '?' : '&');
    put_escaped(url, name);
    buf_put_byte(url, '=');
    put_escaped(url, value);
}
