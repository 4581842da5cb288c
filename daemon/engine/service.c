/* service.c - see service.h. */
#include "daemon/engine/service.h"
#include "daemon/base/log.h"
#include "daemon/console/routes.h"
#include "daemon/engine/engine_metrics.h"
#include "daemon/http/private.h"
#include "daemon/http/public.h"

#include <stdio.h>
#include <stdlib.h>

#define DRAIN_MS 20000

struct service {
    struct engine *engine;
    struct http_server *public_server;
    struct public_dispatch *dispatch;
    struct private_listener *private_side;
};

static bool is_off(const char *address)
{
    return address == NULL || address[0] == '\0' || strcmp(address, "off") == 0;
}

static struct http_settings http_settings_of(const struct config *config, const char *name)
{
    const struct options *http = options_section(config->root, "http");
    struct http_settings settings = {
        .name = name, .address = options_string(http, name), .clock = clock_system(),
        .public_base_url = options_string(http, "public_base_url"),
        .body_max_bytes = (size_t)options_int(http, "max_body"),
        .connections_max = (unsigned)options_int(http, "max_connections"),
        .header_deadline_ms = options_int(http, "header_timeout"),
        .body_deadline_ms = options_int(http, "body_timeout")};
    settings.trusted_proxy_count =
        options_strings(http, "trusted_proxies", &settings.trusted_proxies);
    return settings;
}

static enum status start_public(struct service *s, const struct config *config, struct err *err)
{
    struct http_settings settings = http_settings_of(config, "public");
    if (is_off(settings.address))
        return STATUS_OK;
    struct public_settings dispatch = {.sources = engine_sources(s->engine),
                                       .acceptor = engine_acceptor(s->engine)};
    s->dispatch = public_new(&dispatch);
    if (s->dispatch == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the public side");
    settings.requests_per_s_per_ip =
        options_float(options_section(config->root, "http"), "requests_per_second");
    settings.handle = public_handle;
    settings.finish = public_finish;
    settings.data = s->dispatch;
    s->public_server = http_server_start(&settings, err);
    if (s->public_server == NULL)
        return STATUS_FAILED;
    log_info("http.listening", "forms and webhooks on http://%s", settings.address);
    return STATUS_OK;
}

static void tell_readiness(void *data, struct private_readiness *readiness)
{
    struct service *s = data;
    struct engine_health health;
    engine_health(s->engine, &health);
    readiness->can_accept = health.can_accept;
    readiness->ready = health.ready;
    snprintf(readiness->trouble, sizeof(readiness->trouble), "%s", health.trouble);
}

static void tell_status(void *data, struct buf *out)
{
    engine_status_json(((struct service *)data)->engine, out);
}

static void tell_metrics(void *data, struct buf *out)
{
    struct service *s = data;
    struct http_server_state public_state = {0}, private_side_state = {0};
    if (s->public_server)
        http_server_state(s->public_server, &public_state);
    if (s->private_side)
        private_state(s->private_side, &private_side_state);
    engine_metrics(s->engine, &public_state, &private_side_state, out);
}

static void hasten(void *data)
{
    engine_hasten(((struct service *)data)->engine);
}

static enum status start_private(struct service *s, const struct config *config, struct err *err)
{
    struct private_settings settings = {
        .http = http_settings_of(config, "private"), .state_dir = config->state_dir,
        .token = options_secret(options_section(config->root, "http"), "token"),
        .sources = engine_sources(s->engine), .acceptor = engine_acceptor(s->engine),
        .engine = s->engine, .route_count = console_route_count, .routes = console_routes,
        .readiness = tell_readiness, .status_json = tell_status, .metrics_text = tell_metrics,
        .hasten = hasten,
        .data = s};
    if (is_off(settings.http.address))
        return STATUS_OK;
    s->private_side = private_start(&settings, err);
    if (s->private_side == NULL)
        return STATUS_FAILED;
    log_info("http.private", "status page and API on http://%s; the token is in %s/token",
             settings.http.address, config->state_dir);
    return STATUS_OK;
}

enum status service_start(const struct config *config, struct service **service,
                          struct problems *problems, struct err *err)
{
    struct service *s = calloc(1, sizeof(*s));
    *service = NULL;
    if (s == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the service");
    struct engine_settings settings = {.config = config, .clock = clock_system(),
                                       .pull_sources = true, .dispatch = true};
    if (engine_start(&settings, &s->engine, problems, err) != STATUS_OK ||
        start_public(s, config, err) != STATUS_OK || start_private(s, config, err) != STATUS_OK) {
        service_stop(&s);
        return STATUS_FAILED;
    }
    *service = s;
    return STATUS_OK;
}

void service_stop(struct service **service)
{
    struct service *s = *service;
    if (s == NULL)
        return;
    http_server_stop(&s->public_server, DRAIN_MS / 5);
    private_stop(&s->private_side, DRAIN_MS / 10);
    engine_stop(&s->engine, DRAIN_MS * 7 / 10);
    public_free(&s->dispatch);
    free(s);
    *service = NULL;
}

enum status service_propose(struct service *s, const struct config *config, struct problems *problems,
                            struct err *err)
{
    return engine_propose(s->engine, config, problems, err);
}

enum service_state service_check(struct service *s, struct err *err)
{
    enum status status = engine_wait_ready(s->engine, 0, err);
    if (status == STATUS_OK)
        return SERVICE_READY;
    /* What a person can mend while posts are kept (a password, a missing database) is waited for. */
    return status == STATUS_FAILED && err->retry == RETRY_FATAL ? SERVICE_HOPELESS : SERVICE_WAITING;
}
