/* log.c - see log.h. */
#include "daemon/base/log.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int least_level = LOG_LEVEL_INFO;
static atomic_int output_format = LOG_FORMAT_AUTO;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level least, enum log_format format)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&output_format, (int)format);
}

static bool wants_json(void)
{
    int format = atomic_load(&output_format);
    if (format == LOG_FORMAT_AUTO) {
        format = isatty(STDERR_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
        atomic_store(&output_format, format);
    }
    return format == LOG_FORMAT_JSON;
}

static void emit(enum log_level level, const char *id, const char *text, const struct err *err)
{
    char stamp[40];
    clock_format_utc(clock_wall_us(clock_system()), stamp, sizeof(stamp));
    struct buf line = BUF_INIT(16384);
    if (wants_json()) {
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"id\":\"%s\",\"message\":", stamp,
                   level_names[level], id);
        buf_put_json(&line, slice_str(text));
        if (err) {
            buf_printf(&line, ",\"class\":\"%s\"", retry_class_name(err->retry));
            if (err->sqlstate[0])
                buf_printf(&line, ",\"sqlstate\":\"%s\"", err->sqlstate);
        }
        buf_put_str(&line, "}\n");
    } else {
        buf_printf(&line, "%.8s %-5s %s", stamp + 11, level_names[level], text);
        if (err && err->sqlstate[0])
            buf_printf(&line, " (SQLSTATE %s)", err->sqlstate);
        buf_printf(&line, "  [%s]\n", id);
    }
    if (!buf_failed(&line)) {
        ssize_t written = write(STDERR_FILENO, line.data, line.len);
        (void)written; /* nowhere left to complain */
    }
    buf_free(&line);
}

void log_msg(enum log_level level, const char *id, const char *format, ...)
{
    if ((int)level < atomic_load(&least_level))
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    emit(level, id, text, NULL);
}

void log_err(enum log_level level, const struct err *err, const char *what_format, ...)
{
    if ((int)level < atomic_load(&least_level))
        return;
    char text[2048];
    va_list args;
    va_start(args, what_format);
    int used = vsnprintf(text, sizeof(text) - 4, what_format, args);
    va_end(args);
    if (used < 0 || used > (int)sizeof(text) - 4)
        used = (int)sizeof(text) - 4;
    snprintf(text + used, sizeof(text) - (size_t)used, ": %s", err->text);
    emit(level, err->id[0] ? err->id : "base.unnamed", text, err);
}
