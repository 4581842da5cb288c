/*
 * err.h - how a failure is told.
 *
 * A function that can fail returns `enum status` and fills the caller's `struct err` where the
 * failure is born: code, text, the library's own number, and the *retry class*, which is decided
 * there once and never guessed again further up. A `struct err` is plain data on the caller's
 * stack; its text is cut at its size. err == NULL is not allowed.
 */
#ifndef TRIBUTARY_BASE_ERR_H
#define TRIBUTARY_BASE_ERR_H

#include <stdbool.h>

enum status {
    STATUS_OK = 0,
    STATUS_FAILED,  /* the err says why */
    STATUS_EMPTY,   /* nothing there: end of input, queue empty, row not found; err untouched */
    STATUS_TIMEOUT, /* our deadline passed; err says what was waited for */
    STATUS_STOPPED, /* the stop signal was heard; err untouched */
};

#define MUST_CHECK __attribute__((warn_unused_result))

enum retry_class {
    RETRY_NONE = 0,      /* not meant to be retried; a person must act or the caller decides */
    RETRY_NOW,           /* same connection, the whole transaction, a few times */
    RETRY_LATER,         /* back off, then the same again */
    RETRY_RECONNECT,     /* drop the connection, back off, replay the whole transaction */
    RETRY_REJECT_RECORD, /* one record is to blame: find it, quarantine it, go on */
    RETRY_REJECT_CONFIG, /* configuration or schema is to blame: keep input, ask for a person */
    RETRY_FATAL,         /* stop this activity loudly */
};

/* Process exit codes (sysexits.h). */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 64,
    EXIT_CODE_UNAVAILABLE = 69,
    EXIT_CODE_BUG = 70,
    EXIT_CODE_TEMPORARY = 75,
    EXIT_CODE_CONFIG = 78,
};

struct err {
    enum retry_class retry;
    int number;        /* errno, HTTP status or library code; 0 when there is none */
    char sqlstate[6];  /* "" when the failure is not PostgreSQL's */
    char id[48];       /* stable message id such as "store.connect"; see docs/messages.md */
    char text[512];
};

/* Fills err and returns STATUS_FAILED, so that `return err_set(...)` reads well. */
enum status err_set(struct err *err, enum retry_class retry, const char *id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with `: strerror(number)` appended; the class follows errno (ENOSPC, EMFILE, EAGAIN, EINTR,
 * ENOMEM, EIO are RETRY_LATER, all else RETRY_NONE). */
enum status err_set_errno(struct err *err, int number, const char *id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts `prefix: ` before the text, keeping id, number and class. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *err);
const char *retry_class_name(enum retry_class retry);

#endif
