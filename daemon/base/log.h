/*
 * log.h - what the process says of itself, on standard error.
 *
 * Readable lines when standard error is a terminal, one JSON object a line otherwise (or as forced by
 * log_format). Any thread may log. Every message has a stable id, "area.what", that docs/messages.md
 * lists. Never log a value of a customer: ids, counts, sources, positions and reasons only.
 */
#ifndef TRIBUTARY_BASE_LOG_H
#define TRIBUTARY_BASE_LOG_H

#include "daemon/base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

void log_setup(enum log_level least, enum log_format format);
void log_msg(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The err's id, text, sqlstate and retry class, after `what: `. */
void log_err(enum log_level level, const struct err *err, const char *what_format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
