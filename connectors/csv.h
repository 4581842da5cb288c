/*
 * csv.h - sheets dropped into a folder (a pull connector), and one sheet read in place for `load`.
 *
 * Options: see csv_options in csv.c and docs/configuration.md. What becomes of a row: csv_record.h;
 * of a file: csv_drop.h, csv_file.h. The connector reads the shared options id, time, country,
 * time_zone, day_first, retention.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_H
#define TRIBUTARY_CONNECTORS_CSV_H

#include "connectors/connector.h"

extern const struct pull_connector csv_connector;

/* A source over one file, read in place: neither claimed nor moved. Its `next` gives STATUS_EMPTY
 * with *wait_ms < 0 when all was given. A cursor of a finished reading of the same file begins
 * again (all repeats). Use csv_connector.next and close. NULL with err filled. */
struct pull_source *csv_open_file(const struct source_context *context, const char *path,
                                  struct slice cursor, struct err *err);

/* Of a source made by csv_open_file: for a progress bar. */
struct csv_progress {
    uint64_t position_bytes, total_bytes, rows;
    bool refused;       /* the file is no sheet; one delivery said why */
    const char *reason; /* "" or why; valid as long as the source */
};
struct csv_progress csv_file_progress(const struct pull_source *source);
/* How its columns are read: "Name = full_name, Order no = id; 2 columns more are kept as they are". Nothing is put
 * for a file that is no sheet. */
void csv_file_understood(const struct pull_source *source, struct buf *out);

#endif
