/* remote.c - see remote.h. */
#include "daemon/cli/remote.h"
#include "daemon/base/log.h"
#include "daemon/console/ops.h"
#include "daemon/store/state_dir.h"

#include <curl/curl.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECT_MS      2000
#define CALL_MS         180000
#define FAILING_WAIT_MS 120000 /* what hinders it may pass */
#define READY_TOLD_MS   60000  /* how often somebody who waits for a large database is told why */
#define CONNECT_WAIT_MS 15000  /* a database that nobody reaches is not waited for longer */
#define STOP_MS         20000
#define REPLY_MAX_BYTES ((size_t)256 << 20)

struct remote {
    const struct cli *cli;
    struct config *config;
    struct engine *engine; /* or: */
    CURL *curl;
    struct curl_slist *headers;
    char base_url[300];
};

/* ---- who is there ---- */

bool remote_base_url(const char *address, char *out, size_t size)
{
    const char *colon = address ? strrchr(address, ':') : NULL;
    if (colon == NULL || strcmp(address, "off") == 0 || strcmp(colon, ":0") == 0)
        return false;
    struct slice host = slice_of(address, (size_t)(colon - address));
    if (host.len == 0 || slice_is(host, "0.0.0.0") || slice_is(host, "*"))
        host = SLICE("127.0.0.1");
    else if (slice_is(host, "[::]"))
        host = SLICE("[::1]");
    int length = snprintf(out, size, "http://" SLICE_FMT "%s", SLICE_ARG(host), colon);
    return length > 0 && (size_t)length < size;
}

static bool read_token(const struct config *config, char *token, size_t size)
{
    struct slice configured = options_secret(options_section(config->root, "http"), "token");
    if (configured.len > 0) {
        snprintf(token, size, SLICE_FMT, SLICE_ARG(configured));
        return true;
    }
    char path[4096];
    snprintf(path, sizeof(path), "%s/token", config->state_dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(token, 1, size - 1, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    while (length > 0 && (unsigned char)token[length - 1] <= ' ')
        length--;
    token[length] = '\0';
    errno = error ? error : ENODATA;
    return length > 0;
}

static int connect_daemon(struct remote *remote)
{
    const struct cli *cli = remote->cli;
    const struct config *config = remote->config;
    const char *address = options_string(options_section(config->root, "http"), "private");
    char token[512], line[600];
    if (!remote_base_url(address, remote->base_url, sizeof(remote->base_url)))
        return cli_fail(cli, EXIT_CODE_UNAVAILABLE,
                        "a daemon runs on %s, and http.private is %s, so it cannot be asked; hint: give http.private "
                        "an address such as 127.0.0.1:8081, or stop the daemon",
                        config->state_dir, address && address[0] ? address : "off");
    if (!read_token(config, token, sizeof(token)))
        return cli_fail(cli, EXIT_CODE_UNAVAILABLE,
                        "cannot read the daemon's token %s/token: %s; hint: run this as root or as the user the "
                        "service runs as", config->state_dir, strerror(errno));
    snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
    remote->curl = curl_easy_init();
    remote->headers = curl_slist_append(NULL, line);
    struct curl_slist *longer =
        remote->headers ? curl_slist_append(remote->headers, "Content-Type: application/json") : NULL;
    return remote->curl && longer ? EXIT_CODE_OK : cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
}

/* At its first attempt still: it has got the database and reads it. */
static bool has_not_failed(const struct err *err)
{
    return err->id[0] == '\0';
}

static int start_engine(struct remote *remote)
{
    struct engine_settings settings = {.config = remote->config, .clock = clock_system()};
    struct problems problems = {0};
    struct err err = {0};
    int code = EXIT_CODE_OK;
    log_setup(LOG_LEVEL_WARN, LOG_FORMAT_AUTO);
    if (engine_start(&settings, &remote->engine, &problems, &err) == STATUS_OK) {
        enum status ready = engine_wait_ready(remote->engine, CONNECT_WAIT_MS, &err);
        int64_t waited_ms = CONNECT_WAIT_MS;
        for (; ready == STATUS_TIMEOUT && err.retry != RETRY_RECONNECT && (has_not_failed(&err) || waited_ms < FAILING_WAIT_MS);
             waited_ms += READY_TOLD_MS) {
            fprintf(stderr, "the records are being read back; after an upgrade or changed rules all are judged again, "
                            "about a minute a million\n");
            ready = engine_wait_ready(remote->engine, READY_TOLD_MS, &err);
        }
        if (ready != STATUS_OK)
            code = cli_fail_err(remote->cli, &err);
    } else if (problems.count > 0) {
        cli_print_problems(remote->cli, &problems);
        code = EXIT_CODE_CONFIG;
    } else {
        code = cli_fail_err(remote->cli, &err);
    }
    problems_free(&problems);
    return code;
}

int remote_open(const struct cli *cli, struct remote **remote)
{
    struct remote *mine = calloc(1, sizeof(*mine));
    *remote = NULL;
    if (mine == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    mine->cli = cli;
    int code = cli_load_config(cli, &mine->config);
    if (code == EXIT_CODE_OK && state_dir_find_holder(mine->config->state_dir) == STATE_DIR_FREE)
        code = start_engine(mine);
    else if (code == EXIT_CODE_OK)
        code = connect_daemon(mine);
    if (code != EXIT_CODE_OK)
        remote_close(&mine);
    *remote = mine;
    return code;
}

void remote_close(struct remote **remote)
{
    struct remote *mine = *remote;
    if (mine == NULL)
        return;
    engine_stop(&mine->engine, STOP_MS);
    curl_slist_free_all(mine->headers);
    if (mine->curl)
        curl_easy_cleanup(mine->curl);
    config_free(&mine->config);
    free(mine);
    *remote = NULL;
}

const struct config *remote_config(const struct remote *remote)
{
    return remote->config;
}

struct engine *remote_engine(const struct remote *remote)
{
    return remote->engine;
}

/* ---- asking ---- */

/* Wrong arguments are the caller's; everything else is as for any err. */
static int fail(const struct remote *remote, const struct err *err)
{
    if (strcmp(err->id, "op.argument") == 0)
        return cli_fail(remote->cli, EXIT_CODE_USAGE, "%s", err->text);
    return cli_fail_err(remote->cli, err);
}

void remote_reply_err(long http_status, struct slice body, struct err *err)
{
    json_t *reply = json_loadb(body.ptr, body.len, 0, NULL);
    const json_t *first = json_array_get(json_object_get(reply, "errors"), 0);
    const char *id = json_string_value(json_object_get(first, "code"));
    const char *text = json_string_value(json_object_get(first, "text"));
    enum retry_class retry = RETRY_NONE;
    if (http_status == 429 || http_status == 408 || http_status >= 500)
        retry = RETRY_LATER;
    else if (http_status == 400 || http_status == 422)
        retry = RETRY_REJECT_CONFIG;
    if (http_status == 401 || http_status == 403)
        (void)err_set(err, RETRY_NONE, "http.token",
                      "the daemon does not take the token; hint: is it the daemon of this configuration?");
    else if (text)
        (void)err_set(err, retry, id ? id : "http.status", "%s", text);
    else
        (void)err_set(err, retry, id ? id : "http.status", "the daemon answered %ld%s%s", http_status,
                      id ? ": " : "", id ? id : "");
    json_decref(reply);
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *data)
{
    struct buf *reply = data;
    buf_put(reply, bytes, size * count);
    return buf_failed(reply) ? 0 : size * count;
}

static CURLcode post(struct remote *remote, const char *operation, const char *body, struct buf *reply,
                     long *http_status)
{
    char url[400];
    snprintf(url, sizeof(url), "%s/v1/ops/%s", remote->base_url, operation);
    CURL *curl = remote->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* never: the token is for the daemon alone */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, remote->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, http_status);
    return code;
}

static int call_daemon(struct remote *remote, const char *operation, const json_t *args, json_t **result)
{
    struct buf reply = BUF_INIT(REPLY_MAX_BYTES);
    struct err err = {0};
    long http_status = 0;
    int code = EXIT_CODE_OK;
    char *body = json_dumps(args, JSON_COMPACT);
    CURLcode curl_code = body ? post(remote, operation, body, &reply, &http_status) : CURLE_OUT_OF_MEMORY;
    if (curl_code == CURLE_COULDNT_CONNECT || curl_code == CURLE_COULDNT_RESOLVE_HOST) {
        code = cli_fail(remote->cli, EXIT_CODE_UNAVAILABLE,
                        "state_dir %s is in use, and nobody listens on %s; hint: another command (a load?) is at "
                        "work, or the daemon is just starting", remote->config->state_dir, remote->base_url);
    } else if (curl_code != CURLE_OK) {
        code = cli_fail(remote->cli, EXIT_CODE_TEMPORARY, "no answer from the daemon at %s: %s",
                        remote->base_url, curl_easy_strerror(curl_code));
    } else if (http_status != 200) {
        remote_reply_err(http_status, buf_slice(&reply), &err);
        code = fail(remote, &err);
    } else {
        *result = json_loadb(reply.data, reply.len, JSON_DECODE_ANY, NULL);
        if (*result == NULL)
            code = cli_fail(remote->cli, EXIT_CODE_FAILED, "the daemon's answer is no JSON; hint: is %s tributary's?",
                            remote->base_url);
    }
    free(body);
    buf_free(&reply);
    return code;
}

int remote_call(struct remote *remote, const char *operation, json_t *args, json_t **result)
{
    struct err err = {0};
    int code = EXIT_CODE_OK;
    *result = NULL;
    if (args == NULL)
        code = cli_fail(remote->cli, EXIT_CODE_TEMPORARY, "out of memory");
    else if (remote->engine == NULL)
        code = call_daemon(remote, operation, args, result);
    else if (op_run(remote->engine, operation, args, result, &err) != STATUS_OK)
        code = fail(remote, &err);
    json_decref(args);
    return code;
}

int remote_run(const struct cli *cli, const char *operation, json_t *args, json_t **result)
{
    struct remote *remote = NULL;
    int code = remote_open(cli, &remote);
    *result = NULL;
    if (code == EXIT_CODE_OK)
        code = remote_call(remote, operation, args, result);
    else
        json_decref(args);
    remote_close(&remote);
    return code;
}

const char *remote_actor(const struct cli *cli)
{
    const char *given = cli_value(cli, "actor");
    if (given && given[0])
        return given;
    const char *behind_sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    if (behind_sudo && behind_sudo[0])
        return behind_sudo;
    const struct passwd *entry = getpwuid(getuid());
    return entry ? entry->pw_name : "unknown";
}
