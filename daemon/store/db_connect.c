/*
 * db_connect.c - connecting, without ever waiting on libpq.
 *
 * libpq's connect_timeout does not apply to PQconnectPoll, and a host of a list that swallows packets would use up
 * any deadline of ours before the next is tried. So the list is taken apart here and each host has the whole connect
 * timeout, beginning with the one that last worked. (Name resolution inside libpq is bounded by the resolver's own
 * timeouts only.)
 */
#include "daemon/store/db_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/store/db_class.h"
#include "sql_queries.h"

#define HOSTS_MAX          16
#define KEYWORDS_MAX       64
#define SERVER_VERSION_MIN 140000
#define SERVER_SLACK_MS    5000 /* the server's statement_timeout over ours */

struct list { /* "a,b,c" cut at its commas by NULs */
    char *text; /* NULL when not given */
    size_t count;
};

struct db_conninfo {
    PQconninfoOption *options;
    struct list hosts, hostaddrs, ports;
    size_t host_count; /* at least 1 */
    size_t host_next;  /* where to begin: the one that last worked */
};

static struct list list_new(PQconninfoOption *options, const char *keyword)
{
    struct list list = {0};
    for (PQconninfoOption *option = options; option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0 && option->val && option->val[0])
            list.text = strdup(option->val);
    if (list.text == NULL)
        return list;
    list.count = 1;
    for (char *c = list.text; *c; c++)
        if (*c == ',') {
            *c = '\0';
            list.count++;
        }
    return list;
}

static const char *list_item(const struct list *list, size_t index)
{
    const char *item = list->text;
    for (size_t i = 0; item && list->count > 1 && i < index; i++) /* one port serves all hosts */
        item += strlen(item) + 1;
    return item;
}

static enum status conninfo_new(const char *text, struct db_conninfo **out, struct err *err)
{
    *out = NULL;
    struct db_conninfo *conninfo = calloc(1, sizeof(*conninfo));
    if (conninfo == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    char *message = NULL;
    conninfo->options = PQconninfoParse(text, &message);
    PQfreemem(message); /* not shown: it may quote the password */
    if (conninfo->options == NULL) {
        free(conninfo);
        return err_set(err, RETRY_REJECT_CONFIG, "store.conninfo",
                       "the postgres url cannot be read; hint: "
                       "postgresql://user:password@host:5432/database");
    }
    conninfo->hosts = list_new(conninfo->options, "host");
    conninfo->hostaddrs = list_new(conninfo->options, "hostaddr");
    conninfo->ports = list_new(conninfo->options, "port");
    size_t hosts = conninfo->hosts.count, addresses = conninfo->hostaddrs.count;
    conninfo->host_count = addresses ? addresses : (hosts ? hosts : 1);
    if (conninfo->host_count > HOSTS_MAX || (hosts && hosts != conninfo->host_count) ||
        (conninfo->ports.count > 1 && conninfo->ports.count != conninfo->host_count)) {
        db_conninfo_free(&conninfo);
        return err_set(err, RETRY_REJECT_CONFIG, "store.conninfo",
                       "the postgres url lists hosts, addresses and ports that do not match; hint: as "
                       "many of each, at most %d", HOSTS_MAX);
    }
    *out = conninfo;
    return STATUS_OK;
}

void db_conninfo_free(struct db_conninfo **conninfo)
{
    if (*conninfo == NULL)
        return;
    PQconninfoFree((*conninfo)->options);
    free((*conninfo)->hosts.text);
    free((*conninfo)->hostaddrs.text);
    free((*conninfo)->ports.text);
    free(*conninfo);
    *conninfo = NULL;
}

struct keywords {
    const char *names[KEYWORDS_MAX + 1];
    const char *values[KEYWORDS_MAX + 1];
    size_t count;
    char options[1024];
};

static void put_keyword(struct keywords *keywords, const char *name, const char *value)
{
    assert(keywords->count < KEYWORDS_MAX);
    keywords->names[keywords->count] = name;
    keywords->values[keywords->count] = value;
    keywords->count++;
}

static void build_keywords(const struct db *db, size_t host, struct keywords *keywords)
{
    static const char *const ours[] = {"host", "hostaddr", "port", "options", "application_name",
                                       "client_encoding", "target_session_attrs",
                                       "connect_timeout"};
    const struct db_conninfo *conninfo = db->conninfo;
    const char *users_options = "";
    memset(keywords, 0, sizeof(*keywords));
    for (const PQconninfoOption *option = conninfo->options; option->keyword; option++) {
        if (option->val == NULL)
            continue;
        bool is_ours = false;
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
            is_ours = is_ours || strcmp(option->keyword, ours[i]) == 0;
        if (strcmp(option->keyword, "options") == 0)
            users_options = option->val;
        if (!is_ours)
            put_keyword(keywords, option->keyword, option->val);
    }
    put_keyword(keywords, "host", list_item(&conninfo->hosts, host));
    put_keyword(keywords, "hostaddr", list_item(&conninfo->hostaddrs, host));
    put_keyword(keywords, "port", list_item(&conninfo->ports, host));
    put_keyword(keywords, "application_name", db->application_name);
    put_keyword(keywords, "client_encoding", "UTF8");
    put_keyword(keywords, "target_session_attrs", "read-write");
    snprintf(keywords->options, sizeof(keywords->options),
             "%s -c search_path= -c TimeZone=UTC -c standard_conforming_strings=on "
             "-c statement_timeout=%lld -c idle_in_transaction_session_timeout=%lld",
             users_options, (long long)(db->statement_timeout_ms + SERVER_SLACK_MS),
             (long long)(2 * (db->statement_timeout_ms + SERVER_SLACK_MS)));
    put_keyword(keywords, "options", db->no_startup_options ? users_options : keywords->options);
}

static void on_notice(void *data, const PGresult *result)
{
    (void)data;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("store.notice", "postgres: %s %s: %s", severity ? severity : "NOTICE",
              state ? state : "", message ? message : "");
}

static enum status fail_connect(struct db *db, struct err *err)
{
    char text[360], sqlstate[6];
    enum retry_class retry = db_class_of_connect(PQerrorMessage(db->conn), sqlstate);
    snprintf(text, sizeof(text), "%s", PQerrorMessage(db->conn));
    char *location = strstr(text, "\nLOCATION:"); /* of the verbose form */
    if (location)
        *location = '\0';
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--)
        text[len - 1] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    db_close(db);
    enum status status = err_set(err, retry, "store.connect", "cannot connect to the database: %s",
                                 text[0] ? text : "no reason given");
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    return status;
}

static enum status poll_connect(struct db *db, struct err *err)
{
    int64_t deadline_us = db_deadline_us(db->connect_timeout_ms);
    for (PostgresPollingStatusType poll_for = PGRES_POLLING_WRITING;;) {
        if (poll_for == PGRES_POLLING_OK)
            return STATUS_OK;
        if (poll_for == PGRES_POLLING_FAILED)
            return fail_connect(db, err);
        /* While connecting, POLLIN on a socket that waits for POLLOUT would spin only on an error. */
        enum status status = db_wait_io(db, poll_for == PGRES_POLLING_WRITING, deadline_us,
                                        "connecting", err);
        if (status != STATUS_OK)
            return status;
        poll_for = PQconnectPoll(db->conn);
    }
}

static enum status connect_host(struct db *db, size_t host, struct err *err)
{
    struct keywords keywords;
    build_keywords(db, host, &keywords);
    db->conn = PQconnectStartParams(keywords.names, keywords.values, 0);
    if (db->conn == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    PQsetNoticeReceiver(db->conn, on_notice, NULL);
    /* Gives the SQLSTATE of a refused connect, which libpq 15 has nowhere but in this text. */
    PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return fail_connect(db, err);
    enum status status = poll_connect(db, err);
    if (status != STATUS_OK)
        return status;
    PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(db->conn, 1) != 0)
        return db_fail_connection(db, "connecting", err);
    return STATUS_OK;
}

static enum status check_session(struct db *db, struct err *err)
{
    char timeout[32];
    snprintf(timeout, sizeof(timeout), "%lld",
             (long long)(db->statement_timeout_ms + SERVER_SLACK_MS));
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_store_session,
                                  (struct db_param[]){DB_P_TEXT(slice_str(timeout))}, 1, &result, err);
    if (status != STATUS_OK)
        return status;
    bool utf8 = slice_is(db_bytes(result, 0, 5), "UTF8");
    int64_t version = db_int(result, 0, 6);
    bool set = slice_is(db_bytes(result, 0, 0), "") && slice_is(db_bytes(result, 0, 1), "UTC");
    db->session = (struct db_session){(int32_t)db_int(result, 0, 7), db_timestamp_us(result, 0, 8)};
    db_result_free(&result);
    if (utf8 && set && version >= SERVER_VERSION_MIN)
        return STATUS_OK;
    db_close(db);
    if (!utf8)
        return err_set(err, RETRY_REJECT_CONFIG, "store.encoding",
                       "the database is not UTF8; hint: create database ... encoding 'UTF8'");
    if (version < SERVER_VERSION_MIN)
        return err_set(err, RETRY_REJECT_CONFIG, "store.version",
                       "PostgreSQL %lld is too old; hint: 14 or newer", (long long)(version / 10000));
    return err_set(err, RETRY_RECONNECT, "store.session", "the session settings did not take");
}

/* A COMMIT whose answer was lost may still be under way: looking for its rows would not see them. Once that session
 * is gone, what it did is decided, and what the caller finds is final. */
static enum status settle_undecided(struct db *db, struct err *err)
{
    if (db->undecided.pid == 0)
        return STATUS_OK;
    struct db_result *result = NULL;
    struct db_param params[] = {DB_P_INT4(db->undecided.pid), DB_P_TIMESTAMP(db->undecided.start_us)};
    enum status status = db_query(db, &sql_store_end_session, params, 2, &result, err);
    bool gone = status == STATUS_OK && (db_rows(result) == 0 || db_int(result, 0, 0) != 0);
    db_result_free(&result);
    if (status != STATUS_OK)
        return status;
    if (gone) {
        db->undecided = (struct db_session){0};
        return STATUS_OK;
    }
    db_close(db);
    return err_set(err, RETRY_RECONNECT, "store.undecided",
                   "database process %d, whose COMMIT was not answered, does not end; hint: it is frozen",
                   (int)db->undecided.pid);
}

enum status db_open(struct db *db, struct err *err)
{
    if (db_is_open(db))
        return STATUS_OK;
    db_close(db);
    enum status status = STATUS_OK;
    if (db->conninfo == NULL)
        status = conninfo_new(db->conninfo_text, &db->conninfo, err);
    if (status != STATUS_OK)
        return status;
    struct db_conninfo *conninfo = db->conninfo;
    for (size_t i = 0; i < conninfo->host_count; i++) {
        size_t host = (conninfo->host_next + i) % conninfo->host_count;
        status = connect_host(db, host, err);
        if (status == STATUS_FAILED && !db->no_startup_options &&
            strstr(err->text, "unsupported startup parameter") != NULL) {
            db->no_startup_options = true;
            status = connect_host(db, host, err);
        }
        if (status == STATUS_OK)
            status = check_session(db, err);
        if (status == STATUS_OK)
            status = settle_undecided(db, err);
        if (status == STATUS_OK)
            conninfo->host_next = host;
        if (status == STATUS_OK || status == STATUS_STOPPED)
            return status;
    }
    return status;
}
