/*
 * csv_dialect.c - see csv_dialect.h.
 *
 * The score of a dialect is pattern times type, after van den Burg, Nazabal, Sutton, "Wrangling
 * messy CSV files by detecting row and type patterns" (2019): rows of one length count for (length
 * - 1) / length each, divided by the number of different lengths; times the share of cells that
 * look like values.
 */
#include "connectors/csv_dialect.h"

#include <stdlib.h>

#define SAMPLE_ROWS    200
#define HEADER_ROWS    40 /* a header further down is not looked for */
#define PATTERNS_MAX   64
#define NEARLY_NOTHING 1e-3 /* of a single column, so that types still decide */

/* --- what a cell looks like --- */

enum cell_type {
    CELL_EMPTY,
    CELL_NUMBER,
    CELL_DATE,
    CELL_EMAIL,
    CELL_URL,
    CELL_WORDS,
    CELL_UNKNOWN
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool all_of(struct slice s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]) && (s.ptr[i] == '\0' || strchr(allowed, s.ptr[i]) == NULL))
            return false;
    }
    return true;
}

static size_t count_digits(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += is_digit(s.ptr[i]);
    return count;
}

static enum cell_type cell_type(struct slice s)
{
    s = slice_trim(s);
    if (s.len == 0)
        return CELL_EMPTY;
    size_t digits = count_digits(s);
    if (digits > 0 && all_of(s, "+-.,eE%$()# "))
        return CELL_NUMBER;
    if (digits >= 3 && all_of(s, "+-./:TZ \xE5\xB9\xB4\xE6\x9C\x88\xE6\x97\xA5"))
        return CELL_DATE;
    ptrdiff_t at = slice_find_byte(s, '@');
    if (at > 0 && slice_find_byte(s, ' ') < 0 &&
        slice_find_byte(slice_sub(s, (size_t)at, s.len), '.') > 1)
        return CELL_EMAIL;
    if (slice_starts(s, SLICE("http://")) || slice_starts(s, SLICE("https://")) ||
        slice_starts(s, SLICE("www.")))
        return CELL_URL;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_letter(c) && !is_digit(c) &&
            (c == '\0' || strchr(" .-_'()/&#+*?!:%$\xE2\x82\xAC=[]@<>", c) == NULL))
            return CELL_UNKNOWN;
    }
    return CELL_WORDS;
}

static bool looks_like_data(struct slice cell)
{
    enum cell_type type = cell_type(cell);
    return type == CELL_NUMBER || type == CELL_DATE || type == CELL_EMAIL || type == CELL_URL;
}

/* --- the score of one dialect --- */

struct pattern {
    size_t cells, rows;
};

struct tally {
    struct pattern patterns[PATTERNS_MAX];
    size_t pattern_count, rows, cells, known, faults;
};

static void tally_row(struct tally *tally, const struct csv_split *split, size_t cell_count)
{
    size_t i = 0;
    while (i < tally->pattern_count && tally->patterns[i].cells != cell_count)
        i++;
    if (i == tally->pattern_count && i < PATTERNS_MAX)
        tally->patterns[tally->pattern_count++].cells = cell_count;
    if (i < PATTERNS_MAX)
        tally->patterns[i].rows++;
    tally->rows++;
    for (size_t c = 0; c < cell_count && c < 256; c++) {
        tally->cells++;
        tally->known += cell_type(split->cells[c]) != CELL_UNKNOWN;
    }
}

static double tally_score(const struct tally *tally)
{
    if (tally->rows == 0)
        return 0;
    double pattern = 0;
    for (size_t i = 0; i < tally->pattern_count; i++) {
        double cells = (double)tally->patterns[i].cells;
        double weight = (cells - 1) / cells;
        pattern += (double)tally->patterns[i].rows * (weight > 0 ? weight : NEARLY_NOTHING);
    }
    pattern /= (double)tally->pattern_count * (double)tally->rows;
    double type = tally->cells ? (double)tally->known / (double)tally->cells : 0;
    double sound = 1.0 - (double)tally->faults / (double)tally->rows;
    return pattern * (type > 1e-10 ? type : 1e-10) * sound;
}

/* False when out of memory. */
static bool score_dialect(struct slice sample, bool whole, struct csv_dialect dialect,
                          double *score)
{
    struct csv_split split = {.delimiter = dialect.delimiter, .quote = dialect.quote};
    struct tally tally = {0};
    bool ok = true;
    while (sample.len > 0 && tally.rows < SAMPLE_ROWS) {
        struct csv_split_row row;
        enum csv_split_result result = csv_split_next(&split, sample, whole, &row);
        if (result == CSV_SPLIT_NO_MEMORY)
            ok = false;
        if (result == CSV_SPLIT_MORE || result == CSV_SPLIT_NO_MEMORY)
            break;
        if (result == CSV_SPLIT_ROW && !row.blank)
            tally_row(&tally, &split, row.cell_count);
        if (result != CSV_SPLIT_ROW) {
            tally.faults++;
            tally.rows++;
        }
        sample = slice_sub(sample, row.consumed, sample.len);
    }
    csv_split_free(&split);
    *score = tally_score(&tally);
    return ok;
}

static bool quote_opens_cells(struct slice sample, char quote)
{
    for (size_t i = 0; i + 1 < sample.len; i++) {
        char before = i == 0 ? '\n' : sample.ptr[i - 1];
        if (sample.ptr[i] == quote && !is_letter(before) && !is_digit(before) && before != ' ')
            return true;
    }
    return false;
}

static bool choose_dialect(struct slice sample, bool whole, struct csv_dialect wanted,
                           struct csv_dialect *best)
{
    static const char delimiters[] = {',', '\t', ';', '|'};
    static const char quotes[] = {'"', '\''};
    double best_score = -1;
    *best = (struct csv_dialect){.delimiter = wanted.delimiter ? wanted.delimiter : ',',
                                 .quote = wanted.quote == CSV_QUOTE_GUESS ? '"' : wanted.quote};
    if (wanted.delimiter && wanted.quote != CSV_QUOTE_GUESS)
        return true;
    for (size_t q = 0; q < sizeof(quotes); q++) {
        char quote = wanted.quote == CSV_QUOTE_GUESS ? quotes[q] : wanted.quote;
        if (q > 0 && (wanted.quote != CSV_QUOTE_GUESS || !quote_opens_cells(sample, quote)))
            break;
        for (size_t d = 0; d < sizeof(delimiters); d++) {
            struct csv_dialect dialect = {wanted.delimiter ? wanted.delimiter : delimiters[d],
                                          quote};
            double score;
            if (!score_dialect(sample, whole, dialect, &score))
                return false;
            /* The usual quote needs no more reason; an apostrophe does. */
            if (score > best_score * (q > 0 ? 1.1 : 1.0) + 1e-12) {
                best_score = score;
                *best = dialect;
            }
            if (wanted.delimiter)
                break;
        }
    }
    return true;
}

/* --- the header --- */

struct first_row {
    size_t index; /* among all rows */
    size_t cells, filled, known, data_like;
};

static struct first_row look_at_row(const struct csv_split *split, const struct csv_split_row *row,
                                    size_t index, const struct csv_known_columns *known)
{
    struct first_row seen = {.index = index, .cells = row->cell_count};
    for (size_t i = 0; i < row->cell_count; i++) {
        struct slice cell = slice_trim(split->cells[i]);
        if (cell.len == 0)
            continue;
        seen.filled++;
        seen.data_like += looks_like_data(cell);
        seen.known += known && cell.len <= 256 && known->is_known(known, cell);
    }
    return seen;
}

/* The commonest number of cells; the larger one when two are as common. */
static size_t usual_width(const size_t *widths, size_t count)
{
    size_t best = 0, best_rows = 0;
    for (size_t i = 0; i < count; i++) {
        size_t rows = 0;
        for (size_t j = 0; j < count; j++)
            rows += widths[j] == widths[i];
        if (rows > best_rows || (rows == best_rows && widths[i] > best)) {
            best = widths[i];
            best_rows = rows;
        }
    }
    return best;
}

static void choose_header(const struct first_row *rows, size_t count, size_t width,
                          struct csv_guess *guess)
{
    const struct first_row *best = NULL, *full = NULL;
    for (size_t i = 0; i < count; i++) {
        bool wide = rows[i].cells * 2 > width;
        if (wide && rows[i].known > (best ? best->known : 0) && rows[i].data_like <= rows[i].known)
            best = &rows[i];
        if (full == NULL && rows[i].cells == width && (rows[i].filled > 1 || width == 1) &&
            rows[i].filled * 2 >= width)
            full = &rows[i];
    }
    /* One known word in a wide row further down is more likely a value than a header. */
    if (best && best->known == 1 && width > 2 && full && full->index < best->index)
        best = NULL;
    if (best == NULL)
        best = full ? full : (count ? &rows[0] : NULL);
    guess->rows_before = best ? best->index : 0;
    guess->has_header = best && (best->known > 0 || best->data_like == 0);
}

static bool find_header(struct slice sample, bool whole, enum csv_header_rule rule,
                        const struct csv_known_columns *known, struct csv_guess *guess)
{
    struct csv_split split = {.delimiter = guess->dialect.delimiter, .quote = guess->dialect.quote};
    struct first_row rows[HEADER_ROWS];
    size_t widths[SAMPLE_ROWS];
    size_t count = 0, width_count = 0;
    bool ok = true;
    for (size_t index = 0; sample.len > 0 && width_count < SAMPLE_ROWS; index++) {
        struct csv_split_row row;
        enum csv_split_result result = csv_split_next(&split, sample, whole, &row);
        ok = result != CSV_SPLIT_NO_MEMORY;
        if (result == CSV_SPLIT_MORE || !ok)
            break;
        if (result == CSV_SPLIT_ROW && !row.blank) {
            if (count < HEADER_ROWS)
                rows[count++] = look_at_row(&split, &row, index, known);
            widths[width_count++] = row.cell_count;
        }
        sample = slice_sub(sample, row.consumed, sample.len);
    }
    csv_split_free(&split);
    guess->nothing = width_count == 0;
    if (rule == CSV_HEADER_GUESS) {
        choose_header(rows, count, usual_width(widths, width_count), guess);
    } else {
        guess->rows_before = count ? rows[0].index : 0;
        guess->has_header = rule == CSV_HEADER_FIRST_ROW;
    }
    return ok;
}

bool csv_dialect_guess(struct slice sample, bool whole, struct csv_dialect wanted,
                       enum csv_header_rule rule, const struct csv_known_columns *known,
                       struct csv_guess *guess)
{
    *guess = (struct csv_guess){0};
    return choose_dialect(sample, whole, wanted, &guess->dialect) &&
           find_header(sample, whole, rule, known, guess);
}
