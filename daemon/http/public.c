/* public.c - see public.h. */
#include "daemon/http/public.h"

#include <stdlib.h>

#include "connectors/push_page.h"

#define SUBMISSION_ARENA_MAX_BYTES ((size_t)64 << 20)
#define CLEANERS_MAX               8

struct public_dispatch {
    struct public_settings settings;
    pthread_mutex_t lock; /* cleaners not in use */
    size_t cleaner_count;
    struct {
        const struct ruleset *ruleset;
        struct cleaner *cleaner;
    } cleaners[CLEANERS_MAX];
};

/* What is remembered of a request while its records are being kept; in the exchange's arena. */
struct pending {
    struct source *source;
    struct http_exchange *exchange;
    bool suppressed; /* the reply is there already */
    bool stored;     /* in PostgreSQL: what was a repeat is known */
    struct push_verdict verdict;
    struct push_delivery_verdict *deliveries;
    bool *repeats;
    size_t delivery_count;
};

struct public_dispatch *public_new(const struct public_settings *settings)
{
    struct public_dispatch *dispatch = calloc(1, sizeof(*dispatch));
    if (dispatch == NULL)
        return NULL;
    dispatch->settings = *settings;
    pthread_mutex_init(&dispatch->lock, NULL);
    return dispatch;
}

void public_forget_cleaners(struct public_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    while (dispatch->cleaner_count > 0)
        cleaner_free(&dispatch->cleaners[--dispatch->cleaner_count].cleaner);
    pthread_mutex_unlock(&dispatch->lock);
}

void public_free(struct public_dispatch **dispatch)
{
    if (*dispatch == NULL)
        return;
    public_forget_cleaners(*dispatch);
    pthread_mutex_destroy(&(*dispatch)->lock);
    free(*dispatch);
    *dispatch = NULL;
}

/* ---- cleaners ---- */

static struct cleaner *take_cleaner(struct public_dispatch *dispatch, const struct ruleset *ruleset)
{
    struct cleaner *cleaner = NULL;
    pthread_mutex_lock(&dispatch->lock);
    for (size_t i = 0; i < dispatch->cleaner_count && cleaner == NULL; i++) {
        if (dispatch->cleaners[i].ruleset == ruleset) {
            cleaner = dispatch->cleaners[i].cleaner;
            dispatch->cleaners[i] = dispatch->cleaners[--dispatch->cleaner_count];
        }
    }
    pthread_mutex_unlock(&dispatch->lock);
    return cleaner ? cleaner : cleaner_new(ruleset);
}

static void give_cleaner(struct public_dispatch *dispatch, const struct ruleset *ruleset,
                         struct cleaner *cleaner)
{
    pthread_mutex_lock(&dispatch->lock);
    if (dispatch->cleaner_count < CLEANERS_MAX) {
        dispatch->cleaners[dispatch->cleaner_count].ruleset = ruleset;
        dispatch->cleaners[dispatch->cleaner_count++].cleaner = cleaner;
        cleaner = NULL;
    }
    pthread_mutex_unlock(&dispatch->lock);
    cleaner_free(&cleaner);
}

static void judge_delivery(struct cleaner *cleaner, const struct source *source, const struct delivery *delivery,
                           struct arena *arena, struct push_delivery_verdict *said)
{
    struct clean_record clean;
    struct err err;
    for (size_t i = 0; i < delivery->record_count && delivery->refusal == NULL; i++) {
        if (delivery->records[i].op == RECORD_DELETE ||
            ruleset_clean(cleaner, &source->rules, &delivery->records[i], arena, &clean, &err) != STATUS_OK)
            continue;
        said->rejected = said->rejected || clean.outcome == CLEAN_REJECT;
        if (i == 0 || (clean.outcome == CLEAN_REJECT && said->issue_count == 0)) {
            said->issue_count = clean.issue_count;
            said->issues = clean.issues;
        }
    }
}

/* What the rules say of each delivery. False when there is no memory for it. */
static bool judge(struct public_dispatch *dispatch, const struct delivery_batch *batch, struct pending *pending)
{
    struct source *source = pending->source;
    struct arena *arena = pending->exchange->arena;
    const struct generation *generation = source->generation;
    const struct ruleset *ruleset = generation->ruleset;
    pending->deliveries = ARENA_ARRAY(arena, struct push_delivery_verdict, batch->count);
    pending->repeats = ARENA_ARRAY(arena, bool, batch->count);
    struct cleaner *cleaner = take_cleaner(dispatch, ruleset);
    bool able = cleaner && pending->deliveries && pending->repeats;
    for (size_t i = 0; able && i < batch->count; i++)
        judge_delivery(cleaner, source, &batch->deliveries[i], arena, &pending->deliveries[i]);
    if (cleaner)
        give_cleaner(dispatch, ruleset, cleaner);
    pending->delivery_count = able ? batch->count : 0;
    pending->verdict.schema = generation->schema;
    return able && !arena_failed(arena);
}

/* ---- replies ---- */

static void reply_code(struct http_exchange *exchange, unsigned status, const char *code)
{
    exchange->reply = (struct push_reply){0};
    push_reply_code(&exchange->reply, &exchange->request, status, code, exchange->arena);
}

/* A reply made in another arena, taken over. */
static void copy_reply(struct http_exchange *exchange, const struct push_reply *reply)
{
    exchange->reply = *reply;
    exchange->reply.content_type = arena_dup(exchange->arena, reply->content_type);
    exchange->reply.body = arena_dup(exchange->arena, reply->body);
    for (size_t i = 0; i < reply->header_count; i++) {
        exchange->reply.headers[i].name = arena_dup(exchange->arena, reply->headers[i].name);
        exchange->reply.headers[i].value = arena_dup(exchange->arena, reply->headers[i].value);
    }
}

static void answer(struct pending *pending)
{
    struct http_exchange *exchange = pending->exchange;
    struct push_verdict *verdict = &pending->verdict;
    if (pending->delivery_count > 0) {
        verdict->issue_count = pending->deliveries[0].issue_count;
        verdict->issues = pending->deliveries[0].issues;
        verdict->delivery_count = pending->delivery_count;
        verdict->deliveries = pending->deliveries;
        for (size_t i = 0; i < pending->delivery_count; i++)
            pending->deliveries[i].repeat = pending->stored && pending->repeats[i];
    }
    exchange->reply = (struct push_reply){0};
    pending->source->push->answer(pending->source->push_source, &exchange->request, verdict,
                                  exchange->arena, &exchange->reply);
}

/* ---- keeping ---- */

static void completed(struct submission *submission)
{
    struct pending *pending = submission->data;
    pending->verdict.durable = submission->outcome != SUBMISSION_REFUSED;
    pending->stored = submission->outcome == SUBMISSION_STORED;
    pending->verdict.repeat = pending->stored && submission->repeat;
    free(submission);
    http_exchange_finish(pending->exchange);
}

static enum http_when submit(struct public_dispatch *dispatch, struct pending *pending, struct arena *arena,
                             const struct delivery_batch *batch)
{
    struct http_exchange *exchange = pending->exchange;
    struct submission *submission = calloc(1, sizeof(*submission));
    if (submission) {
        *submission = (struct submission){
            .source = pending->source, .arena = arena, .deliveries = *batch,
            .received_us = exchange->request.received_us, .suppressed = pending->suppressed,
            .completed = completed, .data = pending, .repeats = pending->repeats};
        exchange->data = pending;
        if (acceptor_submit(dispatch->settings.acceptor, submission))
            return HTTP_LATER;
    }
    free(submission);
    arena_free(&arena);
    pending->verdict.durable = false;
    public_finish(dispatch, exchange);
    return HTTP_NOW;
}

void public_finish(void *data, struct http_exchange *exchange)
{
    struct pending *pending = exchange->data;
    (void)data;
    if (pending == NULL)
        return;
    exchange->data = NULL;
    if (!pending->suppressed)
        answer(pending);
    else if (!pending->verdict.durable)
        reply_code(exchange, 503, "http.busy");
}

static bool serves(const struct public_dispatch *dispatch, const struct source *source,
                   const struct push_request *request)
{
    bool is_records = source->push && strcmp(source->push->type, "records") == 0;
    return source->push && source->push_source && source->enabled && is_records == dispatch->settings.records &&
           source->push->match(source->push_source, request);
}

static struct source *find_source(const struct public_dispatch *dispatch, const struct push_request *request)
{
    struct sources *sources = dispatch->settings.sources;
    for (size_t i = 0; i < sources->count; i++) {
        if (serves(dispatch, &sources->list[i], request))
            return &sources->list[i];
    }
    return NULL;
}

/* The connector said: keep these. */
static enum http_when keep(struct public_dispatch *dispatch, struct pending *pending, struct arena *arena,
                           const struct delivery_batch *batch)
{
    const struct push_connector *push = pending->source->push;
    if ((push->refuses_invalid || push->tells_issues) && batch->count > 0 &&
        !judge(dispatch, batch, pending)) {
        arena_free(&arena);
        reply_code(pending->exchange, 503, "http.busy");
        return HTTP_NOW;
    }
    bool refused = false;
    for (size_t i = 0; i < pending->delivery_count && push->refuses_invalid; i++)
        refused = refused || pending->deliveries[i].rejected;
    if (refused) {
        arena_free(&arena);
        pending->verdict.durable = true;
        answer(pending);
        return HTTP_NOW;
    }
    return submit(dispatch, pending, arena, batch);
}

static bool is_reading(const struct push_request *request)
{
    return slice_is(request->method, "GET") || slice_is(request->method, "HEAD") || slice_is(request->method, "OPTIONS");
}

enum http_when public_handle(void *data, struct http_exchange *exchange)
{
    struct public_dispatch *dispatch = data;
    struct source *source = find_source(dispatch, &exchange->request);
    if (source == NULL && slice_is(exchange->request.path, "/favicon.ico")) {
        exchange->reply.status = 204; /* browsers ask beside every page, and complain in its console */
        return HTTP_NOW;
    }
    if (source == NULL) {
        reply_code(exchange, 404, "http.not_found");
        return HTTP_NOW;
    }
    struct arena *arena = arena_new(SUBMISSION_ARENA_MAX_BYTES);
    struct pending *pending = ARENA_NEW(exchange->arena, struct pending);
    if (arena == NULL || pending == NULL) {
        arena_free(&arena);
        reply_code(exchange, 503, "http.busy");
        return HTTP_NOW;
    }
    *pending = (struct pending){.source = source, .exchange = exchange};
    /* Not 404: senders take that for gone and never come again. Its page is shown all the same. */
    if (source->paused && !is_reading(&exchange->request)) {
        arena_free(&arena);
        pending->verdict.trouble = "http.paused";
        answer(pending);
        return HTTP_NOW;
    }
    struct delivery_batch batch = {0};
    struct push_reply reply = {0};
    enum push_decision decision =
        source->push->handle(source->push_source, &exchange->request, arena, &batch, &reply);
    if (decision == PUSH_ACCEPT)
        return keep(dispatch, pending, arena, &batch);
    copy_reply(exchange, &reply);
    if (decision == PUSH_SUPPRESS) {
        pending->suppressed = true;
        return submit(dispatch, pending, arena, &(struct delivery_batch){.layout = SLICE_EMPTY});
    }
    arena_free(&arena);
    return HTTP_NOW;
}
