/* moment.h - calendar dates and times of day read from text; shared by the date and timestamp cleaners. */
#ifndef TRIBUTARY_RULES_MOMENT_H
#define TRIBUTARY_RULES_MOMENT_H

#include "daemon/base/slice.h"

struct moment_date {
    int year, month, day; /* month and day are 0 when they are not known */
};

/* Reads a whole text as a date in one of the forms people and programs write (clean.h lists them). No check of
 * the calendar. *text_month: the month was a word. */
bool moment_read_date(struct slice s, bool day_first, struct moment_date *date);
bool moment_date_exists(const struct moment_date *date); /* partial dates, too */
/* Days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"), and back. */
int64_t moment_days(const struct moment_date *date);
struct moment_date moment_from_days(int64_t days);
/* Excel's day number (1900 system, with its leap day that never was). */
bool moment_from_serial(int64_t serial, struct moment_date *date);

#endif
