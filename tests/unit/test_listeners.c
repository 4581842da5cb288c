/*
 * test_listeners.c - the public and the private listener over real sockets, real rules and the real connectors; only the
 * acceptor is a double, so that it can be slow, full or away.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "connectors/form.h"
#include "connectors/records.h"
#include "daemon/base/asset.h"
#include "daemon/base/log.h"
#include "daemon/http/metrics.h"
#include "daemon/http/private.h"
#include "tests/unit/http_client.h"

#define KEPT_MAX 4096

/* ---- the double of the acceptor ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct submission *waiting[KEPT_MAX];
    size_t waiting_count;
    bool hold;      /* complete nothing for now */
    bool full;      /* refuse at once */
    enum submission_outcome outcome;
    size_t submissions, deliveries, suppressed;
    char last_key[128];
} double_of = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};

static void complete_one(struct submission *submission)
{
    submission->outcome = double_of.outcome;
    for (size_t i = 0; submission->repeats && i < submission->deliveries.count; i++)
        submission->repeats[i] = i % 2 == 1;
    arena_free(&submission->arena);
    submission->completed(submission);
}

bool acceptor_submit(struct acceptor *acceptor, struct submission *submission)
{
    (void)acceptor;
    pthread_mutex_lock(&double_of.lock);
    if (double_of.full) {
        pthread_mutex_unlock(&double_of.lock);
        return false;
    }
    double_of.submissions++;
    double_of.deliveries += submission->deliveries.count;
    double_of.suppressed += submission->suppressed;
    if (submission->deliveries.count > 0 && submission->deliveries.deliveries[0].record_count > 0)
        snprintf(double_of.last_key, sizeof(double_of.last_key), SLICE_FMT,
                 SLICE_ARG(submission->deliveries.deliveries[0].records[0].external_id));
    double_of.waiting[double_of.waiting_count++] = submission;
    pthread_cond_signal(&double_of.came);
    pthread_mutex_unlock(&double_of.lock);
    return true;
}

static bool double_stop;
static void *double_loop(void *data)
{
    (void)data;
    pthread_mutex_lock(&double_of.lock);
    while (!double_stop) {
        if (double_of.waiting_count == 0 || double_of.hold) {
            pthread_cond_wait(&double_of.came, &double_of.lock);
            continue;
        }
        struct submission *submission = double_of.waiting[--double_of.waiting_count];
        pthread_mutex_unlock(&double_of.lock);
        complete_one(submission);
        pthread_mutex_lock(&double_of.lock);
    }
    pthread_mutex_unlock(&double_of.lock);
    return NULL;
}

/* ---- the fixture ---- */

struct fixture {
    struct arena *arena;
    struct generation generation;
    struct source list[2];
    struct sources sources;
    struct http_server *public;
    struct public_dispatch *dispatch;
    struct private_listener *private;
    pthread_t acceptor;
    char dir[64], token[128];
    unsigned public_port, private_port;
    struct private_readiness readiness;
    char reply[1 << 20];
};

static uint16_t field_of_column(const struct source_context *context, struct slice column)
{
    const struct field *field = ruleset_alias(context->field_of_column_data, column);
    return field ? field->id : FIELD_NONE;
}

static void open_source(struct fixture *f, size_t index, const char *name, const struct push_connector *push,
                        const char *options_text)
{
    struct problems problems = {0};
    struct err err;
    struct source *source = &f->list[index];
    struct yaml_node *node = yaml_parse(f->arena, "t.yaml", slice_str(options_text), &problems);
    *source = (struct source){.name = name, .type = push->type, .push = push, .enabled = true,
                              .generation = &f->generation, .rules = {.name = name, .country = "CN", .kind = KIND_PERSON}};
    source->options = options_build(f->arena, push->options, node, NULL, &problems);
    assert_int_equal(problems.count, 0);
    source->context = (struct source_context){
        .name = name, .options = source->options, .clock = clock_system(), .schema = f->generation.schema,
        .field_of_column = field_of_column, .field_of_column_data = f->generation.ruleset};
    source->push_source = push->open(&source->context, &err);
    assert_non_null(source->push_source);
}

static void show_pet(struct engine *engine, const struct api_request *request, struct arena *arena, struct api_reply *reply)
{
    struct buf json = BUF_INIT(4096);
    assert_null(engine);
    buf_put_str(&json, "{\"id\":");
    buf_put_json(&json, api_path_param(request, "id"));
    buf_put_str(&json, ",\"q\":");
    buf_put_json(&json, api_query(request, arena, "q"));
    buf_put_str(&json, "}");
    api_reply_json(reply, 200, arena, &json);
    buf_free(&json);
}

static void put_pet(struct engine *engine, const struct api_request *request, struct arena *arena, struct api_reply *reply)
{
    (void)engine;
    (void)request;
    api_reply_error(reply, 409, arena, "pet.taken", "pet %d is \"taken\"", 7);
}

static const struct route routes[] = {
    {"GET", "/v1/pets/{id}", show_pet},
    {"PUT", "/v1/pets/{id}", put_pet},
};

static void readiness(void *data, struct private_readiness *now)
{
    *now = ((struct fixture *)data)->readiness;
}

static void status_json(void *data, struct buf *out)
{
    (void)data;
    buf_put_str(out, "{\"version\":\"t\"}");
}

static void metrics_text(void *data, struct buf *out)
{
    struct metric_writer writer = {0};
    struct http_server_state state;
    http_server_state(((struct fixture *)data)->public, &state);
    metric_put_http(&writer, "public", &state);
    metric_put(&writer, METRIC_SOURCE_RECEIVED, &(struct metric_label){"source", SLICE("a\"b\n")}, 1, 3);
    metric_put(&writer, METRIC_READY, NULL, 0, 1);
    metrics_render(&writer, out);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct problems problems = {0};
    struct err err;
    bool found;
    f->arena = arena_new((size_t)16 << 20);
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found)};
    struct ruleset *ruleset = ruleset_new(&pack, 1, NULL, &problems);
    if (ruleset == NULL)
        fail_msg("%s", problems.list[0].text);
    f->generation = (struct generation){.ruleset = ruleset, .schema = ruleset_schema(ruleset)};
    open_source(f, 0, "landing", &form_connector, "path: /f/landing\nrequired: []\n");
    open_source(f, 1, "api", &records_connector, "{}");
    f->sources = (struct sources){.count = 2, .list = f->list};
    strcpy(f->dir, "/tmp/test_listeners_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    double_of.outcome = SUBMISSION_STORED;
    double_of.hold = double_of.full = double_stop = false;
    double_of.submissions = double_of.deliveries = double_of.suppressed = 0;
    pthread_create(&f->acceptor, NULL, double_loop, NULL);
    f->dispatch = public_new(&(struct public_settings){.sources = &f->sources});
    f->public = http_server_start(&(struct http_settings){.name = "public", .address = "127.0.0.1:0", .clock = clock_system(),
                                                          .handle = public_handle, .finish = public_finish, .data = f->dispatch}, &err);
    f->readiness = (struct private_readiness){.can_accept = true, .ready = true};
    f->private = private_start(&(struct private_settings){
        .http = {.address = "127.0.0.1:0", .clock = clock_system()}, .state_dir = f->dir, .sources = &f->sources,
        .routes = routes, .route_count = 2, .readiness = readiness, .status_json = status_json,
        .metrics_text = metrics_text, .data = f}, &err);
    if (f->public == NULL || f->private == NULL)
        fail_msg("%s", err.text);
    f->public_port = http_server_port(f->public);
    f->private_port = private_port(f->private);
    snprintf(f->token, sizeof(f->token), "Authorization: Bearer %s\r\n", private_token(f->private));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char path[128];
    http_server_stop(&f->public, 2000);
    private_stop(&f->private, 2000);
    pthread_mutex_lock(&double_of.lock);
    double_stop = true;
    pthread_cond_signal(&double_of.came);
    pthread_mutex_unlock(&double_of.lock);
    pthread_join(f->acceptor, NULL);
    while (double_of.waiting_count > 0)
        complete_one(double_of.waiting[--double_of.waiting_count]);
    public_free(&f->dispatch);
    for (size_t i = 0; i < 2; i++)
        f->list[i].push->close(&f->list[i].push_source);
    ruleset_free(&f->generation.ruleset);
    arena_free(&f->arena);
    snprintf(path, sizeof(path), "%s/token", f->dir);
    unlink(path);
    rmdir(f->dir);
    free(f);
    return 0;
}

static unsigned post(struct fixture *f, unsigned port, const char *path, const char *headers, const char *body)
{
    size_t size = strlen(body) + 4096;
    char *request = malloc(size);
    snprintf(request, size, "POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", path, headers, strlen(body), body);
    client_once(port, request, f->reply, sizeof(f->reply));
    free(request);
    return reply_status(f->reply);
}

static unsigned get(struct fixture *f, const char *path, const char *headers)
{
    char request[2048];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, headers);
    client_once(f->private_port, request, f->reply, sizeof(f->reply));
    return reply_status(f->reply);
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n"

/* ---- public ---- */

static void test_a_post_is_answered_when_it_is_kept(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM "Idempotency-Key: k1\r\n", "email=a%40b.cn&name=Li"), 200);
    assert_non_null(strstr(f->reply, "{\"ok\":true}"));
    assert_string_equal(double_of.last_key, "i:k1");
    assert_int_equal(post(f, f->public_port, "/f/other", FORM, "email=a"), 404);
    assert_int_equal(post(f, f->public_port, "/v1/records", FORM, "{}"), 404); /* never without a token */
}

static void test_a_paused_source_says_come_again_not_gone(void **state)
{
    struct fixture *f = *state;
    f->list[0].paused = true;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn"), 503);
    assert_non_null(strstr(f->reply, "Retry-After: 5"));
    assert_non_null(strstr(f->reply, "{\"code\":\"http.paused\"}"));
    assert_int_equal(double_of.submissions, 0);
}

#define BROWSER "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html,application/xhtml+xml\r\n"

static void says_as_page(struct fixture *f, const char *path, const char *headers, int status, const char *text)
{
    assert_int_equal(post(f, f->public_port, path, headers, "email=a%40b.cn"), status);
    assert_non_null(strstr(f->reply, "Content-Type: text/html"));
    assert_non_null(strstr(f->reply, "<h1>"));
    assert_non_null(strstr(f->reply, text));
    assert_null(strstr(f->reply, "{\"ok\""));
}

static void test_a_person_never_sees_json(void **state)
{
    struct fixture *f = *state;
    f->list[0].paused = true;
    says_as_page(f, "/f/landing", BROWSER, 503, "(http.paused)");
    says_as_page(f, "/f/landing", BROWSER "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n", 503, "暂时无法接收");
    f->list[0].paused = false;
    says_as_page(f, "/f/landing", "Content-Type: application/pdf\r\nAccept: text/html\r\n", 415, "kind of content");
    says_as_page(f, "/f/other", BROWSER, 404, "(http.not_found)");
    assert_int_equal(double_of.submissions, 0);
}

static void test_a_post_that_cannot_be_kept_is_503(void **state)
{
    struct fixture *f = *state;
    double_of.outcome = SUBMISSION_REFUSED;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn&name=Li"), 503);
    assert_non_null(strstr(f->reply, "Retry-After: 5"));
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn&_gotcha=x"), 503);
    double_of.full = true;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn&name=Li"), 503);
    double_of.full = false;
    double_of.outcome = SUBMISSION_SPOOLED;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn&name=Li"), 200);
}

static void test_what_the_rules_refuse_is_422_and_not_kept(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "message=nobody+at+all"), 422);
    assert_non_null(strstr(f->reply, "\"code\":\"record.empty\""));
    assert_int_equal(double_of.submissions, 0);
}

static void test_a_robot_is_only_counted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, f->public_port, "/f/landing", FORM, "email=a%40b.cn&_gotcha=x"), 200);
    assert_non_null(strstr(f->reply, "{\"ok\":true}"));
    assert_int_equal(double_of.suppressed, 1);
    assert_int_equal(double_of.deliveries, 0);
}

static void test_many_wait_while_the_acceptor_is_slow_and_others_are_served(void **state)
{
    struct fixture *f = *state;
    enum { WAITING = 200 };
    static int fds[WAITING];
    struct http_server_state now = {0};
    double_of.hold = true;
    const char *request = "POST /f/landing HTTP/1.1\r\nHost: h\r\n" FORM "Content-Length: 16\r\n\r\nemail=x%40ab.cn&";
    for (size_t i = 0; i < WAITING; i++) {
        fds[i] = client_connect(f->public_port);
        assert_int_equal(client_send(fds[i], request, strlen(request)), 0);
    }
    struct timespec until, tick = {0, 1000000}, at;
    clock_gettime(CLOCK_MONOTONIC, &until);
    do {
        http_server_state(f->public, &now);
        nanosleep(&tick, NULL); /* between looks */
        clock_gettime(CLOCK_MONOTONIC, &at);
    } while (now.suspended < WAITING && at.tv_sec < until.tv_sec + 20);
    assert_int_equal(now.suspended, WAITING);
    assert_int_equal(post(f, f->public_port, "/f/other", FORM, "x"), 404); /* nobody waits for them */
    pthread_mutex_lock(&double_of.lock);
    double_of.hold = false;
    pthread_cond_signal(&double_of.came);
    pthread_mutex_unlock(&double_of.lock);
    for (size_t i = 0; i < WAITING; i++) {
        client_read(fds[i], f->reply, sizeof(f->reply), 1);
        assert_int_equal(reply_status(f->reply), 200);
        close(fds[i]);
    }
}

/* ---- private ---- */

static void test_nothing_opens_without_the_token(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {"", "Authorization: Bearer x\r\n", "Authorization: Basic abc\r\n", "Authorization: Bearer \r\n",
                                        "Cookie: tributary=x\r\n", "Cookie: a=b; tributary=\r\n"};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(get(f, "/v1/status", wrong[i]), 401);
        assert_int_equal(get(f, "/metrics", wrong[i]), 401);
        assert_int_equal(get(f, "/v1/pets/7", wrong[i]), 401);
        assert_int_equal(get(f, "/app.js", wrong[i]), 401);
        assert_int_equal(get(f, "/", wrong[i]), 401); /* the login page */
        assert_int_equal(post(f, f->private_port, "/v1/records", wrong[i], "{}"), 401);
    }
    assert_int_equal(get(f, "/v1/status", f->token), 200);
    assert_int_equal(get(f, "/livez", ""), 200);
    assert_int_equal(get(f, "/login", ""), 200);
    assert_int_equal(get(f, "/login.css", ""), 200);
}

static void test_the_token_file_is_made_once_and_private(void **state)
{
    struct fixture *f = *state;
    char path[128], text[128] = "";
    struct stat info;
    snprintf(path, sizeof(path), "%s/token", f->dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_int_equal(strcspn(text, "\n"), 64);
    assert_memory_equal(text, private_token(f->private), 64);
}

static void test_a_browser_gets_a_cookie_that_no_other_site_can_use(void **state)
{
    struct fixture *f = *state;
    char headers[512], query[256];
    snprintf(query, sizeof(query), "/?token=%s", private_token(f->private));
    assert_int_equal(get(f, query, ""), 303);
    assert_non_null(strstr(f->reply, "HttpOnly; SameSite=Strict"));
    char *cookie = strstr(f->reply, "tributary=");
    assert_non_null(cookie);
    char value[128];
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(cookie, ";"), cookie);
    assert_null(strstr(value, private_token(f->private)));
    snprintf(headers, sizeof(headers), "Cookie: x=y; %s\r\n", value);
    assert_int_equal(get(f, "/", headers), 200);
    assert_non_null(strstr(f->reply, "script-src 'self'"));
    assert_non_null(strstr(f->reply, "/app.js"));
    assert_int_equal(get(f, "/app.js", headers), 200);
    assert_int_equal(get(f, "/v1/status", headers), 200);
    assert_int_equal(post(f, f->private_port, "/v1/records", headers, "{\"fields\":{\"email\":\"a@b.cn\"}}"), 200);
    snprintf(headers, sizeof(headers), "Cookie: %s\r\nOrigin: http://evil.example\r\n", value);
    assert_int_equal(post(f, f->private_port, "/v1/records", headers, "{}"), 401);
    snprintf(headers, sizeof(headers), "Cookie: %s\r\nSec-Fetch-Site: cross-site\r\n", value);
    assert_int_equal(post(f, f->private_port, "/v1/records", headers, "{}"), 401);
    snprintf(query, sizeof(query), "token=%s", private_token(f->private));
    assert_int_equal(post(f, f->private_port, "/login", "", query), 303);
    assert_int_equal(post(f, f->private_port, "/login", "", "token=wrong"), 403);
}

static void test_readiness_says_what_is_degraded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/readyz", ""), 200);
    assert_non_null(strstr(f->reply, "\r\n\r\nok\n"));
    f->readiness = (struct private_readiness){.can_accept = true, .trouble = "database"};
    assert_int_equal(get(f, "/readyz", ""), 200);
    assert_non_null(strstr(f->reply, "degraded: database"));
    assert_int_equal(get(f, "/readyz?strict", ""), 503);
    f->readiness.can_accept = false;
    assert_int_equal(get(f, "/readyz", ""), 503);
}

static void test_routes_find_their_handlers(void **state)
{
    struct fixture *f = *state;
    char request[512];
    assert_int_equal(get(f, "/v1/pets/a%20b?q=1%2B1", f->token), 200);
    assert_non_null(strstr(f->reply, "{\"id\":\"a b\",\"q\":\"1+1\"}"));
    assert_int_equal(get(f, "/v1/pets/", f->token), 404);
    assert_int_equal(get(f, "/v1/pets/1/2", f->token), 404);
    assert_int_equal(get(f, "/../../etc/passwd", f->token), 404);
    assert_int_equal(post(f, f->private_port, "/v1/pets/1", f->token, ""), 405);
    snprintf(request, sizeof(request), "PUT /v1/pets/1 HTTP/1.1\r\nHost: h\r\n%sContent-Length: 0\r\n\r\n", f->token);
    client_once(f->private_port, request, f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 409);
    assert_non_null(strstr(f->reply, "{\"code\":\"pet.taken\",\"text\":\"pet 7 is \\\"taken\\\"\"}"));
}

static void test_metrics_are_grouped_and_escaped(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, "/metrics", f->token), 200);
    assert_non_null(strstr(f->reply, "# TYPE tributary_source_received_total counter\ntributary_source_received_total{source=\"a\\\"b\\n\"} 3\n"));
    assert_non_null(strstr(f->reply, "# TYPE tributary_ready gauge\ntributary_ready 1\n"));
    assert_non_null(strstr(f->reply, "tributary_http_replies_total{listener=\"public\",class=\"2xx\"} 0\n"));
}

/* ---- records ---- */

static void test_records_are_answered_one_by_one(void **state)
{
    struct fixture *f = *state;
    static const char body[] =
        "{\"records\":[{\"external_id\":\"c1\",\"fields\":{\"email\":\"a@b.cn\"}},"
        " {\"external_id\":\"c2\",\"fields\":{\"email\":\"wei@qq.com\"}},"
        "{\"external_id\":\"c3\",\"fields\":{\"remark\":\"nobody\"}},"
        "{\"external_id\":\"c4\",\"colour\":1},{\"op\":\"delete\",\"external_id\":\"c5\"},17]}";
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, body), 200);
    assert_non_null(strstr(f->reply, "{\"external_id\":\"c1\",\"status\":\"accepted\",\"errors\":[]}"));
    assert_non_null(strstr(f->reply, "{\"external_id\":\"c2\",\"status\":\"repeat\",\"errors\":[]}"));
    assert_non_null(strstr(f->reply, "{\"external_id\":\"c3\",\"status\":\"rejected\",\"errors\":[{\"code\":\"record.empty\",\"severity\":\"reject\"}]}"));
    assert_non_null(strstr(f->reply, "\"status\":\"rejected\",\"errors\":[{\"code\":\"records.unknown_key\",\"severity\":\"reject\",\"param\":\"colour\"}]"));
    assert_non_null(strstr(f->reply, "{\"external_id\":\"c5\",\"status\":\"accepted\""));
    assert_non_null(strstr(f->reply, "{\"code\":\"records.json\",\"severity\":\"reject\"}"));
    assert_int_equal(double_of.deliveries, 6); /* what was refused is answered 2xx, so it is kept as well */
}

static void test_records_come_as_one_many_or_lines(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "{\"fields\":{\"email\":\"a@b.cn\"}}"), 200);
    assert_non_null(strstr(f->reply, "{\"external_id\":\"h:"));
    assert_int_equal(post(f, f->private_port, "/v1/records?source=api", f->token,
                          "{\"external_id\":1,\"fields\":{\"email\":\"a@b.cn\"}}\n{\"external_id\":\"2\",\"fields\":{\"email\":\"a@b.cn\"}}\n"), 200);
    assert_non_null(strstr(f->reply, "{\"external_id\":\"2\",\"status\""));
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "[]"), 400);
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "nonsense"), 400);
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "[{},"), 400);
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "[{} {}]"), 400);
    assert_int_equal(post(f, f->private_port, "/v1/records?source=nobody", f->token, "{}"), 404);
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, "{\"source\":\"landing\"}"), 404);
    struct buf many = BUF_INIT(1 << 20);
    buf_put_str(&many, "[{}");
    for (int i = 0; i < 1000; i++)
        buf_put_str(&many, ",{}");
    buf_put(&many, "]", 2);
    assert_int_equal(post(f, f->private_port, "/v1/records", f->token, many.data), 413);
    buf_free(&many);
}

static void test_a_record_keeps_all_it_says(void **state)
{
    struct fixture *f = *state;
    static const char body[] =
        "{\"external_id\":\"c\",\"part\":\"buyer\",\"effective_at\":\"2026-02-28T23:59:60.5+08:00\",\"test\":true,"
        "\"fields\":{\"email\":\"a@b.cn\",\"tags\":[\"x\",\"y\"],\"address\":{\"city\":\"上海\"}},"
        "\"activities\":[{\"type\":\"order\",\"key\":\"o1\",\"at\":1767225600,\"data\":{\"b\":1,\"a\":2}},{\"type\":\"call\"}],"
        "\"consents\":[{\"purpose\":\"marketing\",\"granted\":false,\"at\":\"2026-01-01\"}]}";
    struct delivery delivery;
    struct err err;
    struct source *api = &f->list[1];
    assert_int_equal(api->push->parse(&api->context, SLICE_EMPTY, SLICE("{}"), slice_str(body), f->arena, &delivery, &err), STATUS_OK);
    assert_null(delivery.refusal);
    const struct raw_record *r = &delivery.records[0];
    assert_true(slice_is(r->part, "buyer") && r->is_test);
    assert_int_equal(r->effective_us, 1772294400500000);
    assert_int_equal(r->columns->count, 3);
    assert_true(slice_is(r->columns->names[2], "address.city") && slice_is(r->values[1], "x; y"));
    assert_true(slice_is(r->activities[0].data, "{\"a\":2,\"b\":1}") && r->activities[0].at_us == 1767225600000000);
    assert_true(slice_starts(r->activities[1].key, SLICE("h:")));
    assert_true(!r->consents[0].granted && r->consents[0].at_us == 1767225600000000);
    static const char *const wrong[][2] = {
        {"{\"external_id\":\"x\",\"effective_at\":\"yesterday\"}", "records.time"},
        {"{\"external_id\":\"x\",\"effective_at\":\"2026-02-29\"}", "records.time"},
        {"{\"external_id\":{}}", "records.type"}, {"{\"op\":\"drop\",\"external_id\":\"x\"}", "records.op"},
        {"{\"op\":\"delete\"}", "records.missing"}, {"{}", "records.empty"}, {"{\"external_id\":\"x\",\"fields\":[]}", "records.type"},
        {"{\"external_id\":\"x\",\"consents\":[{\"purpose\":\"m\"}]}", "records.missing"},
        {"{\"external_id\":\"x\",\"activities\":[{}]}", "records.missing"},
        {"{\"external_id\":\"x\",\"fields\":{\"a\":\"\\u0000\"}}", "records.json"},
        {"{\"external_id\":\"x\",\"external_id\":\"y\"}", "records.json"}, {"{\"source\":\"other\"}", "records.source"},
    };
    char long_id[1200] = "{\"external_id\":\"", long_part[200] = "{\"external_id\":\"x\",\"part\":\"";
    memset(long_id + strlen(long_id), 'i', 1025);
    memset(long_part + strlen(long_part), 'p', 65);
    strcat(long_id, "\"}");
    strcat(long_part, "\"}");
    const char *const too_long[] = {long_id, long_part};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(api->push->parse(&api->context, SLICE_EMPTY, SLICE("{}"), slice_str(too_long[i]), f->arena,
                                          &delivery, &err), STATUS_OK);
        assert_string_equal(delivery.refusal ? delivery.refusal : "none", "record.bad_key");
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(api->push->parse(&api->context, SLICE_EMPTY, SLICE("{}"), slice_str(wrong[i][0]), f->arena, &delivery, &err), STATUS_OK);
        assert_string_equal(delivery.refusal ? delivery.refusal : "none", wrong[i][1]);
        assert_int_equal(delivery.record_count, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_post_is_answered_when_it_is_kept),
        TEST(test_a_paused_source_says_come_again_not_gone),
        TEST(test_a_person_never_sees_json),
        TEST(test_a_post_that_cannot_be_kept_is_503),
        TEST(test_what_the_rules_refuse_is_422_and_not_kept),
        TEST(test_a_robot_is_only_counted),
        TEST(test_many_wait_while_the_acceptor_is_slow_and_others_are_served),
        TEST(test_nothing_opens_without_the_token),
        TEST(test_the_token_file_is_made_once_and_private),
        TEST(test_a_browser_gets_a_cookie_that_no_other_site_can_use),
        TEST(test_readiness_says_what_is_degraded),
        TEST(test_routes_find_their_handlers),
        TEST(test_metrics_are_grouped_and_escaped),
        TEST(test_records_are_answered_one_by_one),
        TEST(test_records_come_as_one_many_or_lines),
        TEST(test_a_record_keeps_all_it_says),
    };
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
