/* test_http_server.c - the listener against real sockets: limits, deadlines, ambiguous requests. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "connectors/push_util.h"
#include "daemon/http/http_server.h"
#include "tests/unit/http_client.h"

#define BODY_MAX 4096

struct fixture {
    struct http_server *server;
    unsigned port;
    pthread_t later[64];
    unsigned later_count;
    pthread_mutex_t hold; /* held: replies of /held do not come */
    char reply[262144];
};

static void *finish_later(void *data)
{
    struct http_exchange *exchange = data;
    exchange->reply.status = 200;
    exchange->reply.body = SLICE("later");
    http_exchange_finish(exchange);
    return NULL;
}

static struct http_exchange *volatile held_exchange;

static enum http_when handle(void *data, struct http_exchange *exchange)
{
    struct fixture *fixture = data;
    if (slice_is(exchange->request.path, "/later")) {
        pthread_mutex_lock(&fixture->hold);
        assert_int_equal(pthread_create(&fixture->later[fixture->later_count++], NULL, finish_later, exchange), 0);
        pthread_mutex_unlock(&fixture->hold);
        return HTTP_LATER;
    }
    if (slice_is(exchange->request.path, "/held")) {
        held_exchange = exchange;
        return HTTP_LATER;
    }
    exchange->reply.status = 200;
    exchange->reply.content_type = SLICE("text/plain");
    exchange->reply.body = arena_printf(exchange->arena, SLICE_FMT " " SLICE_FMT "?" SLICE_FMT " %zu " SLICE_FMT " " SLICE_FMT,
                                        SLICE_ARG(exchange->request.method), SLICE_ARG(exchange->request.path),
                                        SLICE_ARG(exchange->request.query), exchange->request.body.len,
                                        SLICE_ARG(exchange->request.client_ip), SLICE_ARG(exchange->request.base_url));
    return HTTP_NOW;
}

static void start(struct fixture *fixture, struct http_settings settings)
{
    struct err err;
    settings.name = "test";
    settings.address = "127.0.0.1:0";
    settings.clock = clock_system();
    settings.body_max_bytes = BODY_MAX;
    settings.handle = handle;
    settings.data = fixture;
    fixture->server = http_server_start(&settings, &err);
    if (fixture->server == NULL)
        fail_msg("%s", err.text);
    fixture->port = http_server_port(fixture->server);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    pthread_mutex_init(&fixture->hold, NULL);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_server_stop(&fixture->server, 2000);
    for (unsigned i = 0; i < fixture->later_count; i++)
        pthread_join(fixture->later[i], NULL);
    free(fixture);
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_a_request_is_handed_over_whole(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    client_once(f->port, "POST /a%20b%E4%BD%A0?x=%20y HTTP/1.1\r\nHost: h.example:80\r\nContent-Length: 5\r\n\r\nhello",
                f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 200);
    assert_non_null(strstr(f->reply, "POST /a b你?x=%20y 5 127.0.0.1 http://h.example:80"));
    assert_non_null(strstr(f->reply, "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(f->reply, "Content-Security-Policy: "));
}

static void test_chunks_and_expect_continue(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
                f->reply, sizeof(f->reply));
    assert_non_null(strstr(f->reply, "POST /? 7 "));
    int fd = client_connect(f->port);
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    client_send(fd, head, strlen(head));
    client_read(fd, f->reply, sizeof(f->reply), 1);
    assert_int_equal(reply_status(f->reply), 100);
    client_send(fd, "ok", 2);
    client_read(fd, f->reply, sizeof(f->reply), 1);
    assert_non_null(strstr(f->reply, "POST /? 2 "));
    close(fd);
}

static void test_replies_may_come_later_from_another_thread(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    int fds[32];
    const char *request = "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx";
    for (size_t i = 0; i < 32; i++) {
        fds[i] = client_connect(f->port);
        client_send(fds[i], request, strlen(request));
    }
    for (size_t i = 0; i < 32; i++) {
        client_read(fds[i], f->reply, sizeof(f->reply), 1);
        assert_int_equal(reply_status(f->reply), 200);
        assert_non_null(strstr(f->reply, "later"));
        close(fds[i]);
    }
}

static void test_stopping_answers_what_still_waits(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    held_exchange = NULL;
    int fd = client_connect(f->port);
    const char *request = "GET /held HTTP/1.1\r\nHost: h\r\n\r\n";
    client_send(fd, request, strlen(request));
    struct http_server_state now = {0};
    for (double until = seconds() + 10; now.suspended == 0 && seconds() < until;)
        http_server_state(f->server, &now);
    assert_int_equal(now.suspended, 1);
    http_server_stop(&f->server, 50);
    client_read(fd, f->reply, sizeof(f->reply), 1);
    assert_int_equal(reply_status(f->reply), 503);
    http_exchange_finish(held_exchange); /* late, and harmless */
    close(fd);
}

static void test_too_large_bodies_are_413(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4097\r\n\r\n", f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 413);
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10737418240\r\n\r\n", f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 413);
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", f->reply,
                sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 413);
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nContent-Length: 4097\r\n\r\n", f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 413);
    assert_non_null(strstr(f->reply, "It is too large <small>(http.body_too_large)"));
    /* chunked without end: answered long before 64 KiB too many were taken */
    int fd = client_connect(f->port);
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    client_send(fd, head, strlen(head));
    char chunk[1032] = "400\r\n";
    memset(chunk + 5, 'x', 1024);
    memcpy(chunk + 5 + 1024, "\r\n", 2);
    size_t sent = 0;
    for (; sent < 10240 && client_send(fd, chunk, 5 + 1024 + 2) == 0; sent++) {
        struct pollfd answered = {.fd = fd, .events = POLLIN};
        if (poll(&answered, 1, sent >= 5 ? 1000 : 0) > 0)
            break;
    }
    client_read(fd, f->reply, sizeof(f->reply), 1);
    assert_int_equal(reply_status(f->reply), 413);
    assert_true(sent < 64);
    close(fd);
}

static void test_a_client_that_sends_on_still_reads_its_413(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    const size_t size = (size_t)3 << 20; /* more than the sockets hold */
    char *body = calloc(1, size);
    assert_non_null(body);
    const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n"};
    for (size_t i = 0; i < 2; i++) {
        int fd = client_connect(f->port);
        assert_int_equal(client_send(fd, heads[i], strlen(heads[i])), 0);
        assert_int_equal(client_send(fd, body, size), 0); /* all of it, before it looks */
        client_read(fd, f->reply, sizeof(f->reply), 1);
        assert_int_equal(reply_status(f->reply), 413);
        assert_non_null(strstr(f->reply, "http.body_too_large"));
        close(fd);
    }
    free(body);
}

static void test_slow_clients_are_cut_with_408(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){.header_deadline_ms = 300, .body_deadline_ms = 300, .idle_deadline_ms = 400});
    const char *const beginnings[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nX-Slow: ",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3",
    };
    for (size_t i = 0; i < 3; i++) {
        double began = seconds();
        int fd = client_connect(f->port);
        client_send(fd, beginnings[i], strlen(beginnings[i]));
        struct pollfd answered = {.fd = fd, .events = POLLIN};
        while (poll(&answered, 1, 40) == 0) /* a trickle keeps an idle timeout away */
            if (client_send(fd, "0", 1) != 0)
                break;
        client_read(fd, f->reply, sizeof(f->reply), 0);
        assert_int_equal(reply_status(f->reply), 408);
        assert_true(seconds() - began < 3);
        close(fd);
    }
    /* Nothing sent at all, or nothing after a reply: closed without a word. */
    int fd = client_connect(f->port);
    assert_int_equal(client_read(fd, f->reply, sizeof(f->reply), 0), 0);
    close(fd);
    fd = client_connect(f->port);
    const char *request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    client_send(fd, request, strlen(request));
    size_t len = client_read(fd, f->reply, sizeof(f->reply), 1);
    assert_true(len > 0);
    assert_int_equal(client_read(fd, f->reply, sizeof(f->reply), 0), 0);
    close(fd);
}

static void test_ambiguous_requests_are_refused_and_closed(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = client_connect(f->port);
        client_send(fd, requests[i], strlen(requests[i]));
        client_read(fd, f->reply, sizeof(f->reply), 0);
        unsigned status = reply_status(f->reply);
        if (status != 400 && status != 501)
            fail_msg("request %zu was answered %u: %s", i, status, f->reply);
        assert_null(strstr(f->reply, "GET /smuggled"));
        close(fd);
    }
    client_once(f->port, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n", f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 200);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    int fd = client_connect(f->port);
    const char *requests = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                           "GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n";
    client_send(fd, requests, strlen(requests));
    client_read(fd, f->reply, sizeof(f->reply), 4);
    const char *one = strstr(f->reply, "GET /1"), *two = strstr(f->reply, "POST /2? 3");
    const char *later = strstr(f->reply, "later"), *three = strstr(f->reply, "GET /3");
    assert_true(one && two && later && three && one < two && two < later && later < three);
    close(fd);
}

static void test_clients_over_their_rate_are_429(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){.requests_per_s_per_ip = 0.01, .burst_per_ip = 3});
    for (int i = 0; i < 5; i++) {
        client_once(f->port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", f->reply, sizeof(f->reply));
        assert_int_equal(reply_status(f->reply), i < 3 ? 200 : 429);
    }
    assert_non_null(strstr(f->reply, "Retry-After: "));
    struct http_server_state now;
    http_server_state(f->server, &now);
    assert_int_equal(now.rate_limited, 2);
}

static void test_headers_and_targets_are_bounded(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    char *request = malloc(200000);
    size_t len = (size_t)sprintf(request, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 150; i++)
        len += (size_t)sprintf(request + len, "X-%d: y\r\n", i);
    sprintf(request + len, "\r\n");
    client_once(f->port, request, f->reply, sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 431);
    len = (size_t)sprintf(request, "GET /");
    memset(request + len, 'a', 100000);
    sprintf(request + len + 100000, " HTTP/1.1\r\nHost: h\r\n\r\n");
    client_once(f->port, request, f->reply, sizeof(f->reply));
    assert_true(reply_status(f->reply) == 414 || reply_status(f->reply) == 431 || reply_status(f->reply) == 413);
    free(request);
    client_once(f->port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", f->reply,
                sizeof(f->reply));
    assert_int_equal(reply_status(f->reply), 415);
}

static void test_the_client_behind_trusted_proxies(void **state)
{
    struct fixture *f = *state;
    const struct slice proxies[] = {SLICE("127.0.0.0/8"), SLICE("10.0.0.0/8")};
    start(f, (struct http_settings){.trusted_proxies = proxies, .trusted_proxy_count = 2,
                                    .public_base_url = "https://leads.example.com/"});
    client_once(f->port, "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.1.2.3\r\n\r\n", f->reply,
                sizeof(f->reply));
    assert_non_null(strstr(f->reply, "GET /? 0 203.0.113.9 https://leads.example.com"));
}

static void test_an_address_in_use_is_the_configurations_fault(void **state)
{
    struct fixture *f = *state;
    start(f, (struct http_settings){0});
    char address[32];
    struct err err;
    snprintf(address, sizeof(address), "127.0.0.1:%u", f->port);
    struct http_settings again = {.name = "test", .address = address, .clock = clock_system(), .handle = handle};
    assert_null(http_server_start(&again, &err));
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    again.address = "nonsense";
    assert_null(http_server_start(&again, &err));
    assert_string_equal(err.id, "http.address");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_handed_over_whole),
        TEST(test_chunks_and_expect_continue),
        TEST(test_replies_may_come_later_from_another_thread),
        TEST(test_stopping_answers_what_still_waits),
        TEST(test_too_large_bodies_are_413),
        TEST(test_a_client_that_sends_on_still_reads_its_413),
        TEST(test_slow_clients_are_cut_with_408),
        TEST(test_ambiguous_requests_are_refused_and_closed),
        TEST(test_pipelined_requests_are_answered_in_order),
        TEST(test_clients_over_their_rate_are_429),
        TEST(test_headers_and_targets_are_bounded),
        TEST(test_the_client_behind_trusted_proxies),
        TEST(test_an_address_in_use_is_the_configurations_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
