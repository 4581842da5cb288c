/* db_class.c - see db_class.h. The table of what each SQLSTATE means for us. */
#include "daemon/store/db_class.h"

#include <stdio.h>

struct class_rule {
    const char *prefix; /* the first rule that a SQLSTATE starts with decides */
    enum retry_class retry;
};

static const struct class_rule rules[] = {
    {"08P01", RETRY_FATAL},         /* protocol violation: what we sent is malformed, our bug */
    {"08", RETRY_RECONNECT},        /* connection exceptions */
    {"0A", RETRY_REJECT_CONFIG},    /* not supported: another server than we expect */
    {"22", RETRY_REJECT_RECORD},    /* data exceptions */
    {"23505", RETRY_NONE},          /* unique: the caller looks its keys up */
    {"23", RETRY_REJECT_RECORD},    /* other constraints */
    {"25", RETRY_RECONNECT},        /* 25006 read-only (failed over), 25P02 aborted, 25P03 idle too long */
    {"26000", RETRY_RECONNECT},     /* a prepared statement is gone (a pooler, DISCARD) */
    {"28", RETRY_REJECT_CONFIG},    /* who we are */
    {"3B", RETRY_RECONNECT},        /* savepoints */
    {"3D", RETRY_REJECT_CONFIG},    /* no such database */
    {"3F", RETRY_REJECT_CONFIG},    /* no such schema */
    {"40003", RETRY_RECONNECT},     /* completion unknown */
    {"40", RETRY_NOW},              /* serialization, deadlock */
    {"42P05", RETRY_RECONNECT},     /* prepared statement is there already (a pooler) */
    {"42", RETRY_REJECT_CONFIG},    /* names, rights, syntax: a migration is missing */
    {"44", RETRY_REJECT_RECORD},    /* with check option */
    {"53", RETRY_LATER},            /* disk, memory, connections */
    {"54", RETRY_REJECT_RECORD},    /* too big for an index row and the like */
    {"55", RETRY_LATER},            /* locks, objects in use */
    {"57P01", RETRY_RECONNECT},     /* administrator's shutdown */
    {"57P02", RETRY_RECONNECT},     /* crash shutdown */
    {"57P03", RETRY_RECONNECT},     /* starting up, shutting down */
    {"57P04", RETRY_REJECT_CONFIG}, /* database dropped */
    {"57P05", RETRY_RECONNECT},     /* idle session timeout */
    {"57", RETRY_LATER},            /* 57014: statement timeout */
    {"58", RETRY_LATER},            /* system errors */
    {"F0", RETRY_LATER},            /* server's configuration file */
    {"HV", RETRY_REJECT_CONFIG},    /* foreign data */
    {"P0", RETRY_REJECT_CONFIG},    /* raised by a function */
};

enum retry_class db_class_of(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return RETRY_RECONNECT;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].retry;
    return RETRY_FATAL;
}

enum retry_class db_class_of_fatal(const char *sqlstate)
{
    enum retry_class retry = db_class_of(sqlstate);
    switch (retry) {
    case RETRY_LATER:
    case RETRY_REJECT_CONFIG:
    case RETRY_FATAL:
        return retry;
    default:
        return RETRY_RECONNECT;
    }
}

static bool is_state_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* Verbose text reads "... SEVERITY:  28P01: message": five of 0-9A-Z after two spaces, before a colon. Hosts of a list
 * that failed one after the other follow each other; the last one decides. */
static bool find_state(const char *text, char sqlstate[6])
{
    bool found = false;
    size_t len = strlen(text);
    for (size_t i = 0; i + 9 <= len; i++) {
        if (memcmp(text + i, ":  ", 3) != 0 || text[i + 8] != ':')
            continue;
        bool all = true;
        for (size_t j = 3; j < 8; j++)
            all = all && is_state_char(text[i + j]);
        if (!all)
            continue;
        memcpy(sqlstate, text + i + 3, 5);
        sqlstate[5] = '\0';
        found = true;
    }
    return found;
}

enum retry_class db_class_of_connect(const char *text, char sqlstate[6])
{
    sqlstate[0] = '\0';
    if (find_state(text, sqlstate))
        return db_class_of_fatal(sqlstate);
    /* libpq's own words (PostgreSQL 15, C locale) for what no retry mends. */
    static const char *const config_words[] = {
        "invalid sslmode",       "invalid port number",   "invalid integer value",
        "no password supplied",  "certificate",           "could not load private",
        "does not support SSL",  "authentication method", "invalid channel_binding",
    };
    for (size_t i = 0; i < sizeof(config_words) / sizeof(config_words[0]); i++)
        if (strstr(text, config_words[i]) != NULL)
            return RETRY_REJECT_CONFIG;
    return RETRY_RECONNECT;
}

void db_class_safe_text(const char *sqlstate, const char *message, char *out, size_t size)
{
    snprintf(out, size, "%s", message);
    if (sqlstate[0] != '2' || sqlstate[1] != '2')
        return;
    char *colon = strstr(out, ": ");
    if (colon != NULL)
        *colon = '\0';
    char *quote = strchr(out, '"');
    if (quote != NULL)
        snprintf(quote, size - (size_t)(quote - out), "...");
}
