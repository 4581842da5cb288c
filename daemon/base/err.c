/* err.c - see err.h. */
#include "daemon/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 5, 0))) static void fill(struct err *err, enum retry_class retry,
                                                       int number, const char *id,
                                                       const char *format, va_list args)
{
    err->retry = retry;
    err->number = number;
    err->sqlstate[0] = '\0';
    snprintf(err->id, sizeof(err->id), "%s", id);
    vsnprintf(err->text, sizeof(err->text), format, args);
}

enum status err_set(struct err *err, enum retry_class retry, const char *id, const char *format,
                    ...)
{
    va_list args;
    va_start(args, format);
    fill(err, retry, 0, id, format, args);
    va_end(args);
    return STATUS_FAILED;
}

static enum retry_class class_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EINTR:
    case ENOMEM:
    case EIO:
        return RETRY_LATER;
    default:
        return RETRY_NONE;
    }
}

enum status err_set_errno(struct err *err, int number, const char *id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, class_of_errno(number), number, id, format, args);
    va_end(args);
    char reason[128], hint[sizeof(err->text)] = "";
    char *at = strstr(err->text, "; hint: ");
    if (at) { /* the reason stands before the hint */
        memcpy(hint, at, strlen(at) + 1);
        *at = '\0';
    }
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s%s",
             strerror_r(number, reason, sizeof(reason)), hint);
    return STATUS_FAILED;
}

void err_prefix(struct err *err, const char *format, ...)
{
    char text[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof(text) - 2)
        return;
    size_t at = (size_t)used;
    memcpy(text + at, ": ", 2);
    at += 2;
    size_t kept = strnlen(err->text, sizeof(text) - at - 1);
    memcpy(text + at, err->text, kept);
    text[at + kept] = '\0';
    memcpy(err->text, text, sizeof(err->text));
}

void err_clear(struct err *err)
{
    memset(err, 0, sizeof(*err));
}

const char *retry_class_name(enum retry_class retry)
{
    static const char *const names[] = {
        "none", "retry_now", "retry_later", "reconnect", "reject_record", "reject_config", "fatal"};
    return names[retry];
}
