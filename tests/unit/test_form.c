/* test_form.c - posts of web forms: bodies, honeypots, origins, redirects, keys, consents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/form.h"
#include "connectors/form_body.h"
#include "connectors/form_intern.h"

static const char config_text[] =
    "path: /f/landing\n"
    "redirect: https://www.example.com/thanks\n"
    "allowed_redirects: [\"https://www.example.com\", \"https://shop.example.com/ok/\"]\n"
    "origins: [\"https://www.example.com\", \"http://localhost:3000/\"]\n"
    "honeypot: [fax]\n"
    "required: [email]\n"
    "campaign: spring\n"
    "consent:\n"
    "  agree: {purpose: marketing, text: \"我同意接收营销信息\", version: \"2026-01\"}\n"
    "  privacy: {text: \"I have read it\"}\n";

struct test_clock {
    struct clock clock;
    int64_t now_us;
};
static int64_t test_now(const struct clock *clock)
{
    return ((const struct test_clock *)clock)->now_us;
}

struct fixture {
    struct arena *arena;
    struct problems problems;
    struct test_clock clock;
    struct source_context context;
    struct push_source *source;
    struct http_header headers[16];
    struct push_request request;
    struct delivery_batch batch;
    struct push_reply reply;
};

static const struct field fields[] = {
    {.id = 0, .name = "email", .type = FIELD_EMAIL},
    {.id = 1, .name = "phone", .type = FIELD_PHONE},
};
static const struct schema schema = {2, fields};

static uint16_t field_of_column(const struct source_context *context, struct slice column)
{
    (void)context;
    return slice_is(column, "email") || slice_is(column, "邮箱") ? 0 : slice_is(column, "tel") ? 1 : FIELD_NONE;
}

static void open_source(struct fixture *f, const char *text)
{
    struct err err;
    struct yaml_node *node = yaml_parse(f->arena, "t.yaml", slice_str(text), &f->problems);
    const struct options *options = options_build(f->arena, form_connector.options, node, NULL, &f->problems);
    form_connector.check(options, &f->problems);
    if (f->problems.count > 0)
        fail_msg("%s", f->problems.list[0].text);
    f->context.options = options;
    form_connector.close(&f->source);
    f->source = form_connector.open(&f->context, &err);
    assert_non_null(f->source);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = arena_new((size_t)64 << 20);
    f->clock = (struct test_clock){{test_now, test_now}, 1763000000000000};
    f->context = (struct source_context){.name = "landing", .clock = &f->clock.clock, .schema = &schema,
                                         .field_of_column = field_of_column};
    open_source(f, config_text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    form_connector.close(&f->source);
    arena_free(&f->arena);
    problems_free(&f->problems);
    free(f);
    return 0;
}

/* A request with headers "Name: value" separated by line feeds. */
static void request_is(struct fixture *f, const char *method, const char *headers, struct slice body)
{
    struct slice rest = slice_str(headers);
    f->request = (struct push_request){.method = slice_str(method), .path = SLICE("/f/landing"), .body = body,
                                       .client_ip = SLICE("203.0.113.9"), .headers = f->headers,
                                       .base_url = SLICE("https://leads.example.com"),
                                       .received_us = f->clock.now_us};
    while (rest.len > 0) {
        ptrdiff_t end = slice_find_byte(rest, '\n');
        struct slice line = slice_sub(rest, 0, end < 0 ? rest.len : (size_t)end);
        rest = slice_sub(rest, line.len + 1, rest.len);
        ptrdiff_t colon = slice_find_byte(line, ':');
        f->headers[f->request.header_count++] = (struct http_header){
            slice_sub(line, 0, (size_t)colon), slice_sub(line, (size_t)colon + 1, line.len)};
    }
}

static enum push_decision handle(struct fixture *f)
{
    f->batch = (struct delivery_batch){0};
    f->reply = (struct push_reply){0};
    return form_connector.handle(f->source, &f->request, f->arena, &f->batch, &f->reply);
}

static enum push_decision post(struct fixture *f, const char *headers, const char *body)
{
    /* In the arena: the request points into it until its answer is made. */
    struct slice all = arena_printf(f->arena, "Content-Type: application/x-www-form-urlencoded%s%s",
                                    headers[0] ? "\n" : "", headers);
    request_is(f, "POST", all.ptr, slice_str(body));
    return handle(f);
}

static void answer_durable(struct fixture *f)
{
    struct push_verdict verdict = {.durable = true, .schema = &schema};
    f->reply = (struct push_reply){0};
    form_connector.answer(f->source, &f->request, &verdict, f->arena, &f->reply);
}

static const struct raw_record *record(struct fixture *f)
{
    assert_int_equal(f->batch.count, 1);
    assert_int_equal(f->batch.deliveries[0].record_count, 1);
    return &f->batch.deliveries[0].records[0];
}

static const char *value(struct fixture *f, const char *name)
{
    const struct raw_record *r = record(f);
    for (size_t i = 0; i < r->columns->count; i++) {
        if (slice_is(r->columns->names[i], name))
            return arena_str(f->arena, r->values[i]);
    }
    return NULL;
}

static const char *header(struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->reply.header_count; i++) {
        if (slice_eq_nocase(f->reply.headers[i].name, slice_str(name)))
            return arena_str(f->arena, f->reply.headers[i].value);
    }
    return NULL;
}

static const char *reply_body(struct fixture *f)
{
    return arena_str(f->arena, f->reply.body);
}

static struct slice read_sample(struct fixture *f, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "../shared/data/connectors/synthetic/payloads/%s", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_message("    skipped: %s is not here\n", path);
        skip();
        return SLICE_EMPTY;
    }
    char *text = arena_alloc(f->arena, 65536);
    size_t len = fread(text, 1, 65535, file);
    fclose(file);
    return slice_of(text, len);
}

/* ---- bodies ---- */

static void test_bodies_of_every_kind_give_their_fields(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *type, *body, *name, *value;
    } cases[] = {
        {"application/x-www-form-urlencoded", "a=1&b=%E4%BD%A0+x&&c", "b", "你 x"},
        {"application/x-www-form-urlencoded; charset=UTF-8", "a=1%2", "a", "1%2"},
        {"application/x-www-form-urlencoded", "i[]=x&i[]=y&i[]=", "i", "x; y"},
        {"application/x-www-form-urlencoded; charset=gbk", "name=%D5%C5%C8%FD", "name", "张三"},
        {"application/x-www-form-urlencoded", "name=%D5%C5%C8%FD", "name", "张三"},
        {"application/x-www-form-urlencoded", "_charset_=gb2312&name=%D5%C5%C8%FD", "name", "张三"},
        {"application/x-www-form-urlencoded; charset=iso-8859-1", "name=J%FCrgen", "name", "Jürgen"},
        {"application/json", "{\"a\":{\"b\":[\"x\",\"y\"],\"c\":null},\"n\":13800138000,\"t\":true}", "a.b", "x; y"},
        {"application/json", "{\"n\":13800138000}", "n", "13800138000"},
        {"application/json", "{\"n\":0.1}", "n", "0.1"},
        {"application/json", "{\"t\":[{\"u\":1}]}", "t.0.u", "1"},
        {"text/plain", " {\"a\":\"beacon\"}", "a", "beacon"},
        {"", "a=b", "a", "b"},
        {"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\ny\r\n--B--\r\n", "a", "x\r\ny"},
        {"multipart/form-data; boundary=B", "preamble\r\n--B\r\ncontent-disposition: form-data; name=\"a\\\"b\"\r\n\r\n\r\n--B\r\nContent-Disposition: form-data; name=c\r\n\r\n1\r\n--B--", "c", "1"},
        {"multipart/form-data; boundary=\"B\"", "--B\nContent-Disposition: form-data; name=\"cv\"; filename=\"x.txt\"\nContent-Type: text/plain\n\nhello\n--B--\n", "cv", "x.txt (5 bytes)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct form_body form;
        const char *code = form_body_parse(slice_str(cases[i].type), slice_str(cases[i].body), f->arena, &form);
        if (code)
            fail_msg("case %zu: %s", i, code);
        assert_string_equal(arena_str(f->arena, form_value(&form, cases[i].name)), cases[i].value);
    }
}

static void test_bad_bodies_are_refused_with_a_code(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *type, *body, *code;
    } cases[] = {
        {"application/x-www-form-urlencoded", "a=%00", "form.nul"},
        {"application/x-www-form-urlencoded", "a=%FF%FF%FF", "form.encoding"},
        {"application/json", "{\"a\":\"\\u0000\"}", "form.json"},
        {"application/json", "{\"a\":\"\\ud800\"}", "form.json"},
        {"application/json", "{\"a\":1,\"a\":2}", "form.json"},
        {"application/json", "[1]", "form.json"},
        {"application/json", "{\"a\":", "form.json"},
        {"application/json", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}", "form.too_deep"},
        {"application/xml", "<a/>", "form.content_type"},
        {"text/plain", "a=b", "form.content_type"},
        {"multipart/form-data", "--B\r\n", "form.multipart"},
        {"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncut", "form.multipart"},
        {"multipart/form-data; boundary=B", "--B\r\nX: y\r\n\r\nx\r\n--B--", "form.multipart"},
        {"multipart/form-data; boundary=B", "nothing", "form.multipart"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct form_body form;
        const char *code = form_body_parse(slice_str(cases[i].type), slice_str(cases[i].body), f->arena, &form);
        if (code == NULL)
            fail_msg("case %zu was read", i);
        assert_string_equal(code, cases[i].code);
    }
}

static void test_a_million_fields_or_parts_or_levels_cost_little(void **state)
{
    struct fixture *f = *state;
    struct form_body form;
    size_t len = 1 << 20;
    char *body = malloc(len);
    for (size_t i = 0; i + 2 <= len; i += 2)
        memcpy(body + i, "a&", 2);
    assert_string_equal(form_body_parse(SLICE_EMPTY, slice_of(body, len), f->arena, &form), "form.too_many_fields");
    memset(body, '[', len);
    memcpy(body, "{\"a\":", 5);
    assert_string_equal(form_body_parse(SLICE("application/json"), slice_of(body, len), f->arena, &form), "form.json");
    for (size_t i = 0; i + 5 <= len; i += 5)
        memcpy(body + i, "\n--B\n", 5);
    assert_non_null(form_body_parse(SLICE("multipart/form-data; boundary=B"), slice_of(body, len), f->arena, &form));
    free(body);
}

static void test_sample_posts(void **state)
{
    struct fixture *f = *state;
    struct slice body = slice_trim(read_sample(f, "landing_form.urlencoded.txt"));
    request_is(f, "POST", "Content-Type: application/x-www-form-urlencoded\nReferer: https://www.example.com/lp?utm_source=no&bd_vid=42\nUser-Agent: UA", body);
    assert_int_equal(handle(f), PUSH_ACCEPT);
    assert_string_equal(value(f, "name"), "张三");
    assert_string_equal(value(f, "company"), "示例科技（上海）有限公司");
    assert_string_equal(value(f, "message"), "你好\r\n第二行");
    assert_string_equal(value(f, "utm_source"), "wechat");
    assert_string_equal(value(f, "bd_vid"), "42");
    assert_string_equal(value(f, "campaign"), "spring");
    assert_string_equal(value(f, "landing_page"), "https://www.example.com/lp?utm_source=no&bd_vid=42");
    assert_null(value(f, "_next"));
    assert_null(value(f, "utm_term"));
    assert_int_equal(record(f)->activity_count, 1);
    assert_true(slice_is(record(f)->activities[0].type, "form"));
    assert_non_null(strstr(arena_str(f->arena, record(f)->activities[0].data), "第二行"));

    request_is(f, "POST", "Content-Type: application/x-www-form-urlencoded; charset=gbk", read_sample(f, "landing_form.gbk.urlencoded.txt"));
    open_source(f, "path: /f/landing\n");
    assert_int_equal(handle(f), PUSH_ACCEPT);
    assert_string_equal(value(f, "name"), "张三");

    request_is(f, "POST", "Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
               read_sample(f, "landing_form.multipart.txt"));
    assert_int_equal(handle(f), PUSH_ACCEPT);
    assert_string_equal(value(f, "email"), "zhangsan@example.com");
    assert_string_equal(value(f, "cv"), "简历 “A”.txt (5 bytes)");
    assert_null(value(f, "_wpcf7"));

    request_is(f, "POST", "Content-Type: application/json", read_sample(f, "hubspot_form_submit.json"));
    assert_int_equal(handle(f), PUSH_ACCEPT);
    assert_string_equal(value(f, "firstname"), "Wei");
    assert_string_equal(value(f, "utm_source"), "x");
    assert_int_equal(record(f)->consent_count, 2);
    assert_true(slice_is(record(f)->consents[1].purpose, "communication:999"));
    assert_true(record(f)->consents[0].granted);
    assert_int_equal(record(f)->effective_us, 1517927174000000);
}

/* ---- what is kept ---- */

static void test_consents_keep_wording_and_where_they_were_given(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "User-Agent: Browser/1", "email=a@b.cn&agree=on&privacy=false"), PUSH_ACCEPT);
    const struct raw_record *r = record(f);
    assert_int_equal(r->consent_count, 2);
    assert_true(slice_is(r->consents[0].purpose, "marketing") && r->consents[0].granted);
    assert_true(slice_is(r->consents[0].text, "我同意接收营销信息") && slice_is(r->consents[0].version, "2026-01"));
    assert_true(slice_is(r->consents[0].ip, "203.0.113.9") && slice_is(r->consents[0].user_agent, "Browser/1"));
    assert_true(slice_is(r->consents[1].purpose, "privacy") && !r->consents[1].granted);
    assert_null(value(f, "agree"));
}

static void test_parse_makes_the_same_record_from_stored_bytes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "User-Agent: UA\nReferer: https://www.example.com/?gclid=g", "email=a@b.cn&agree=1&message=hi"), PUSH_ACCEPT);
    struct content_hash before = raw_record_hash(record(f));
    struct slice key = record(f)->external_id;
    struct delivery again;
    struct err err;
    struct arena *arena = arena_new(1 << 20);
    struct source_context bare = {.name = "landing"};
    assert_int_equal(form_connector.parse(&bare, f->batch.layout, f->batch.deliveries[0].meta,
                                          f->batch.deliveries[0].body, arena, &again, &err), STATUS_OK);
    struct content_hash after = raw_record_hash(&again.records[0]);
    assert_true(before.high == after.high && before.low == after.low);
    assert_true(slice_eq(key, again.records[0].external_id));
    assert_int_equal(form_connector.parse(&bare, SLICE("nonsense"), SLICE("{"), SLICE("a=b"), arena, &again, &err),
                     STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    arena_free(&arena);
}

static void test_a_post_cannot_come_from_the_future(void **state)
{
    struct fixture *f = *state;
    static const char json[] = "{\"submittedAt\":%lld,\"fields\":[{\"name\":\"email\",\"value\":\"a@b.cn\"}]}";
    int64_t now_ms = f->clock.now_us / 1000;
    const int64_t given_ms[] = {now_ms - 5000, now_ms, now_ms + 1, INT64_C(9223372036854774)};
    for (size_t i = 0; i < 4; i++) {
        char body[200];
        snprintf(body, sizeof(body), json, (long long)given_ms[i]);
        request_is(f, "POST", "Content-Type: application/json", slice_str(body));
        assert_int_equal(handle(f), PUSH_ACCEPT);
        const struct delivery *delivery = &f->batch.deliveries[0];
        int64_t wanted_us = i < 2 ? given_ms[i] * 1000 : 0; /* 0: the time of acceptance */
        assert_true(delivery->records[0].effective_us == wanted_us);
        struct delivery again;
        struct err err;
        assert_int_equal(form_connector.parse(&f->context, f->batch.layout, delivery->meta, delivery->body, f->arena,
                                              &again, &err), STATUS_OK);
        assert_true(again.records[0].effective_us == wanted_us);
    }
}

static void test_keys_are_the_senders_or_random_with_a_window(void **state)
{
    struct fixture *f = *state;
    post(f, "Idempotency-Key: abc-1", "email=a@b.cn");
    assert_true(slice_is(record(f)->external_id, "i:abc-1"));
    post(f, "", "email=a@b.cn&_idempotency_key=abc-2");
    assert_true(slice_is(record(f)->external_id, "i:abc-2"));
    post(f, "Idempotency-Key: with space \x01", "email=a@b.cn");
    assert_true(slice_starts(record(f)->external_id, SLICE("i:#")));

    post(f, "", "email=a@b.cn&x=1");
    struct slice first = record(f)->external_id;
    assert_true(slice_starts(first, SLICE("r:")) && first.len == 34);
    struct content_hash first_hash = raw_record_hash(record(f));
    f->clock.now_us += 599000000;
    post(f, "User-Agent: other", "email=a@b.cn&x=1");
    assert_true(slice_eq(first, record(f)->external_id));
    struct content_hash second_hash = raw_record_hash(record(f));
    assert_true(first_hash.low == second_hash.low); /* so the daemon calls it a repeat */
    post(f, "", "email=a@b.cn&x=2");
    assert_false(slice_eq(first, record(f)->external_id));
    f->clock.now_us += 2000000;
    post(f, "", "email=a@b.cn&x=1");
    assert_false(slice_eq(first, record(f)->external_id));
}

static void test_the_window_is_bounded_and_forgets_the_oldest(void **state)
{
    (void)state;
    struct repeat_window *window = repeat_window_new(3000, 1000);
    uint8_t key[WINDOW_KEY_BYTES];
    for (uint64_t i = 0; i < 10000; i++) {
        memset(key, 0, sizeof(key));
        memcpy(key, &i, sizeof(i));
        repeat_window_key(window, (struct window_hash){i, i * 7}, (int64_t)i, key);
    }
    for (uint64_t i = 0; i < 10000; i++) {
        memset(key, 0xff, sizeof(key));
        repeat_window_key(window, (struct window_hash){i, i * 7}, 10000, key);
        uint64_t known;
        memcpy(&known, key, sizeof(known));
        if (i == 9999)
            assert_int_equal(known, UINT64_MAX); /* pushed out by those just asked for */
        if (i == 0)
            assert_int_equal(known, UINT64_MAX);
    }
    repeat_window_free(&window);
}

/* ---- what is not kept ---- */

static void test_a_honeypot_is_answered_like_a_success(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "", "email=a@b.cn"), PUSH_ACCEPT);
    answer_durable(f);
    struct push_reply success = f->reply;
    static const char *const bodies[] = {"email=a@b.cn&_gotcha=x", "email=a@b.cn&fax=1", "email=a@b.cn&bot-field=1",
                                         "email=a@b.cn&wpforms%5Bhp%5D=1", "_honey=1"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(post(f, "", bodies[i]), PUSH_SUPPRESS);
        assert_int_equal(f->batch.count, 0);
        assert_int_equal(f->reply.status, success.status);
        assert_int_equal(f->reply.header_count, success.header_count);
        assert_string_equal(header(f, "Location"), "https://www.example.com/thanks");
    }
    assert_int_equal(post(f, "", "email=a@b.cn&_gotcha="), PUSH_ACCEPT);
    open_source(f, "path: /f/landing\nmin_fill_time: 3s\n");
    char body[80];
    snprintf(body, sizeof(body), "email=a@b.cn&_started_at=%lld", (long long)(f->clock.now_us / 1000 - 1000));
    assert_int_equal(post(f, "", body), PUSH_SUPPRESS);
    snprintf(body, sizeof(body), "email=a@b.cn&_started_at=%lld", (long long)(f->clock.now_us / 1000 - 5000));
    assert_int_equal(post(f, "", body), PUSH_ACCEPT);
    /* A clock that runs ahead is a person's; absurd numbers overflow nothing. */
    snprintf(body, sizeof(body), "email=a@b.cn&_started_at=%lld", (long long)(f->clock.now_us / 1000 + 60000));
    assert_int_equal(post(f, "", body), PUSH_ACCEPT);
    assert_int_equal(post(f, "", "email=a@b.cn&_started_at=-9223372036854775808"), PUSH_ACCEPT);
    assert_int_equal(post(f, "", "email=a@b.cn&_started_at=9223372036854775807"), PUSH_ACCEPT);
}

static void test_empty_and_incomplete_forms_are_told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "Accept: application/json", ""), PUSH_REPLY_ONLY);
    assert_int_equal(f->reply.status, 400);
    assert_string_equal(reply_body(f), "{\"ok\":false,\"errors\":[{\"code\":\"form.empty\"}]}");
    post(f, "Accept: application/json", "utm_source=x&_next=y&email=%20");
    assert_int_equal(f->reply.status, 400);
    post(f, "Accept: application/json", "name=x");
    assert_int_equal(f->reply.status, 422);
    assert_string_equal(reply_body(f), "{\"ok\":false,\"errors\":[{\"field\":\"email\",\"code\":\"required\"}]}");
    post(f, "Accept-Language: zh-CN,en;q=0.5", "name=x");
    assert_int_equal(f->reply.status, 422);
    assert_non_null(strstr(reply_body(f), "此项必填"));
    open_source(f, "path: /f/landing\nredirect_error: \"https://www.example.com/form?x=1#top\"\nrequired: [电话]\n");
    post(f, "", "name=x");
    assert_int_equal(f->reply.status, 303);
    assert_string_equal(header(f, "Location"), "https://www.example.com/form?x=1&error=required&field=%E7%94%B5%E8%AF%9D");
}

static void test_what_the_rules_refuse_is_told_by_the_forms_own_names(void **state)
{
    struct fixture *f = *state;
    open_source(f, "path: /f/landing\n");
    post(f, "Accept: application/json", "邮箱=x&tel=1");
    const struct issue issues[] = {
        {.severity = ISSUE_REJECT, .code = "email.syntax", .field = 0, .param = SLICE_EMPTY},
        {.severity = ISSUE_WARN, .code = "phone.too_short", .field = 1, .param = SLICE_EMPTY},
        {.severity = ISSUE_REJECT, .code = "phone.too_short", .field = 1, .param = SLICE("7")},
    };
    struct push_verdict verdict = {.durable = true, .issue_count = 3, .issues = issues, .schema = &schema};
    f->reply = (struct push_reply){0};
    form_connector.answer(f->source, &f->request, &verdict, f->arena, &f->reply);
    assert_int_equal(f->reply.status, 422);
    assert_string_equal(reply_body(f), "{\"ok\":false,\"errors\":[{\"field\":\"邮箱\",\"code\":\"email.syntax\"},"
                                       "{\"field\":\"tel\",\"code\":\"phone.too_short\",\"param\":\"7\"}]}");
    verdict = (struct push_verdict){.durable = false};
    f->reply = (struct push_reply){0};
    form_connector.answer(f->source, &f->request, &verdict, f->arena, &f->reply);
    assert_int_equal(f->reply.status, 503);
    assert_string_equal(header(f, "Retry-After"), "5");
}

/* ---- who may post, and where people go ---- */

static void test_origins(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post(f, "Origin: https://www.example.com", "email=a@b.cn"), PUSH_ACCEPT);
    answer_durable(f);
    assert_string_equal(header(f, "Access-Control-Allow-Origin"), "https://www.example.com");
    assert_string_equal(header(f, "Vary"), "Origin");
    assert_int_equal(post(f, "Origin: http://localhost:3000", "email=a@b.cn"), PUSH_ACCEPT);
    assert_int_equal(post(f, "Origin: https://leads.example.com", "email=a@b.cn"), PUSH_ACCEPT); /* our own page */
    assert_int_equal(post(f, "", "email=a@b.cn"), PUSH_ACCEPT);
    static const char *const wrong[] = {"Origin: https://evil.example", "Origin: null", "Origin: http://www.example.com",
                                        "Origin: https://www.example.com.evil.example", "Origin: https://www.example.com:444"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(post(f, wrong[i], "email=a@b.cn"), PUSH_REPLY_ONLY);
        assert_int_equal(f->reply.status, 403);
        assert_null(header(f, "Access-Control-Allow-Origin"));
        assert_non_null(strstr(reply_body(f), "form.origin"));
        assert_non_null(strstr(reply_body(f), "<h1>Not received</h1>"));
    }
    assert_int_equal(post(f, "Origin: https://evil.example\nAccept: application/json", "email=a@b.cn"), PUSH_REPLY_ONLY);
    assert_non_null(strstr(reply_body(f), "{\"ok\":false,\"errors\":[{\"code\":\"form.origin\"}]}"));
    request_is(f, "OPTIONS", "Origin: https://www.example.com\nAccess-Control-Request-Method: POST", SLICE_EMPTY);
    assert_int_equal(handle(f), PUSH_REPLY_ONLY);
    assert_int_equal(f->reply.status, 204);
    assert_string_equal(header(f, "Access-Control-Allow-Methods"), "POST, OPTIONS");
    request_is(f, "GET", "", SLICE_EMPTY);
    handle(f);
    assert_int_equal(f->reply.status, 405);
    open_source(f, "path: /f/landing\norigins: [\"https://www.example.com\"]\norigins_strict: true\n");
    assert_int_equal(post(f, "", "email=a@b.cn"), PUSH_REPLY_ONLY);
    assert_int_equal(post(f, "Referer: https://www.example.com/x", "email=a@b.cn"), PUSH_ACCEPT);
    open_source(f, "path: /f/landing\n");
    assert_int_equal(post(f, "Origin: https://anything.example", "email=a@b.cn"), PUSH_ACCEPT);
    answer_durable(f);
    assert_string_equal(header(f, "Access-Control-Allow-Origin"), "*");
}

static void test_redirects_go_only_where_they_may(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *next, *location;
    } cases[] = {
        {"https://www.example.com/a?b=c", "https://www.example.com/a?b=c"},
        {"https://WWW.example.com/a", "https://WWW.example.com/a"},
        {"https://shop.example.com/ok/1", "https://shop.example.com/ok/1"},
        {"https://shop.example.com/okay", "https://www.example.com/thanks"},
        {"https://shop.example.com/ok/../admin", "https://www.example.com/thanks"},
        {"https://shop.example.com/ok/%2e%2e/admin", "https://www.example.com/thanks"},
        {"https://shop.example.com/ok/%2E%2e/admin", "https://www.example.com/thanks"},
        {"https://shop.example.com/ok/.%2e/admin", "https://www.example.com/thanks"},
        {"https://evil.example/", "https://www.example.com/thanks"},
        {"https://www.example.com.evil.example/", "https://www.example.com/thanks"},
        {"https://www.example.com@evil.example/", "https://www.example.com/thanks"},
        {"https://www.example.com\\@evil.example/", "https://www.example.com/thanks"},
        {"https://www.example.com:8443/", "https://www.example.com/thanks"},
        {"http://www.example.com/", "https://www.example.com/thanks"},
        {"//evil.example/", "https://www.example.com/thanks"},
        {"javascript:alert(1)", "https://www.example.com/thanks"},
        {"https://www.example.com/a\r\nSet-Cookie: x=y", "https://www.example.com/thanks"},
        {"/from/referer", "https://www.example.com/from/referer"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf body = BUF_INIT(4096);
        buf_put_str(&body, "email=a@b.cn&_next=");
        for (const char *c = cases[i].next; *c; c++)
            buf_printf(&body, "%%%02X", (unsigned char)*c);
        buf_put_byte(&body, 0);
        assert_int_equal(post(f, "Referer: https://www.example.com/page", body.data), PUSH_ACCEPT);
        answer_durable(f);
        assert_int_equal(f->reply.status, 303);
        assert_string_equal(header(f, "Location"), cases[i].location);
        buf_free(&body);
    }
}

static void test_scripts_hear_json_and_people_see_a_page(void **state)
{
    struct fixture *f = *state;
    static const char *const script[] = {"Accept: application/json", "X-Requested-With: XMLHttpRequest",
                                         "Sec-Fetch-Mode: cors"};
    for (size_t i = 0; i < 3; i++) {
        post(f, script[i], "email=a@b.cn");
        answer_durable(f);
        assert_string_equal(reply_body(f), "{\"ok\":true,\"next\":\"https://www.example.com/thanks\"}");
    }
    open_source(f, "path: /f/landing\n");
    post(f, "Accept-Language: fr,zh;q=0.5", "email=a@b.cn");
    answer_durable(f);
    assert_int_equal(f->reply.status, 200);
    assert_non_null(strstr(reply_body(f), "谢谢"));
    post(f, "Accept-Language: en-GB,en", "email=a@b.cn");
    answer_durable(f);
    assert_non_null(strstr(reply_body(f), "Thank you"));
    /* What a form says never becomes markup. */
    open_source(f, "path: /f/landing\nrequired: [\"<script>\"]\n");
    post(f, "", "a=b");
    assert_null(strstr(reply_body(f), "<script>"));
    assert_non_null(strstr(reply_body(f), "&lt;script&gt;"));
}

static void test_the_configuration_is_checked(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = {
        "path: f\n", "path: /f\nredirect: /thanks\n", "path: /f\norigins: [\"https://x.example/path\"]\n",
        "path: /f\norigins: [x.example]\n", "path: /f\nallowed_redirects: [\"javascript:x\"]\n", "path: /f\nredirct: x\n"};
    for (size_t i = 0; i < 6; i++) {
        struct problems problems = {0};
        struct yaml_node *node = yaml_parse(f->arena, "t.yaml", slice_str(wrong[i]), &problems);
        const struct options *options = options_build(f->arena, form_connector.options, node, NULL, &problems);
        form_connector.check(options, &problems);
        if (problems.count != 1)
            fail_msg("%s gave %zu problems", wrong[i], problems.count);
        problems_free(&problems);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_bodies_of_every_kind_give_their_fields),
        TEST(test_bad_bodies_are_refused_with_a_code),
        TEST(test_a_million_fields_or_parts_or_levels_cost_little),
        TEST(test_sample_posts),
        TEST(test_consents_keep_wording_and_where_they_were_given),
        TEST(test_parse_makes_the_same_record_from_stored_bytes),
        TEST(test_a_post_cannot_come_from_the_future),
        TEST(test_keys_are_the_senders_or_random_with_a_window),
        TEST(test_the_window_is_bounded_and_forgets_the_oldest),
        TEST(test_a_honeypot_is_answered_like_a_success),
        TEST(test_empty_and_incomplete_forms_are_told),
        TEST(test_what_the_rules_refuse_is_told_by_the_forms_own_names),
        TEST(test_origins),
        TEST(test_redirects_go_only_where_they_may),
        TEST(test_scripts_hear_json_and_people_see_a_page),
        TEST(test_the_configuration_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
