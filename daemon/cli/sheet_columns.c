/* sheet_columns.c - see sheet_columns.h. */
#include "daemon/cli/sheet_columns.h"

#include <stdio.h>

#include "rules/text.h"

#define FILL_LEAST       0.02
#define REPEATS_SHARE    0.90
#define OF_TYPE_SHARE    0.95
#define CATEGORY_VALUES  30
#define DISTINCT_MAX     65536 /* slots of the count of values */
#define REPEAT_ROWS      2000  /* rows in which columns are held against each other */
#define ROW_WORDS_MAX    64
#define LEARNED_MAX      20 /* columns */

struct column {
    bool known;
    size_t filled, spaced, distinct;
    uint64_t *seen; /* hashes of values */
    bool falls;           /* not in rising order */
    char last[24];        /* value */
    size_t emails, dates, moments, numbers, decimals, long_numbers, phones;
    size_t *within; /* by other column: rows whose words are all there */
    size_t within_known; /* ... in the known columns together */
    size_t noted;        /* rows with a value that were held against the others */
};

struct column_look {
    struct arena *arena, *scratch;
    size_t count, rows, used;
    struct column *columns;
    const struct slice *names;
};

struct column_look *column_look_new(struct arena *arena, size_t columns, const struct slice *names, const bool *known)
{
    struct column_look *look = ARENA_NEW(arena, struct column_look);

    if (look == NULL)
        return NULL;
    *look = (struct column_look){.arena = arena, .count = columns};
    look->names = names;
    look->columns = ARENA_ARRAY(arena, struct column, columns + 1);
    for (size_t i = 0; look->columns && i < columns; i++) {
        look->columns[i].known = known[i];
        look->columns[i].seen = ARENA_ARRAY(arena, uint64_t, DISTINCT_MAX);
        look->columns[i].within = ARENA_ARRAY(arena, size_t, columns);
    }
    return arena_failed(arena) ? NULL : look;
}

/* ---- what a value looks like ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 1998-02-03, 3.2.1998, 02/03/98, 19980203. */
static bool looks_like_date(struct slice s)
{
    size_t digits = 0, marks = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i]))
            digits++;
        else if (s.ptr[i] == '-' || s.ptr[i] == '/' || s.ptr[i] == '.')
            marks++;
        else
            return false;
    }
    if (marks == 0)
        return digits == 8 && (slice_starts(s, SLICE("19")) || slice_starts(s, SLICE("20")) ||
                               slice_starts(s, SLICE("18"))) &&
               (s.ptr[4] == '0' || (s.ptr[4] == '1' && s.ptr[5] <= '2')) && s.ptr[6] <= '3';
    return marks == 2 && digits >= 4 && digits <= 8 && is_digit(s.ptr[0]) && is_digit(s.ptr[s.len - 1]);
}

static bool looks_like_moment(struct slice s)
{
    ptrdiff_t colon = slice_find_byte(s, ':');

    return colon > 0 && (size_t)colon + 1 < s.len && is_digit(s.ptr[colon - 1]) && is_digit(s.ptr[colon + 1]) &&
           is_digit(s.ptr[0]);
}

static void note_number(struct column *column, struct slice s)
{
    size_t digits = 0, points = 0, marks = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i]))
            digits++;
        else if (s.ptr[i] == '.' && i > 0)
            points++;
        else if (s.ptr[i] == '-' || s.ptr[i] == '+' || s.ptr[i] == ' ' || s.ptr[i] == '(' || s.ptr[i] == ')')
            marks++;
        else
            return;
    }
    if (digits == 0)
        return;
    column->phones += digits >= 7 && digits <= 15 && (marks > 0 || points > 1);
    column->numbers += points <= 1 && (marks == 0 || (marks == 1 && s.ptr[0] == '-'));
    column->decimals += points == 1;
    column->long_numbers += digits >= 5 && points == 0;
}

/* Numbers of rows rise: 7, 8, 9 or A0007, A0008. Longer is greater. */
static void note_order(struct column *column, struct slice value)
{
    struct slice last = slice_str(column->last), cut = text_cut(value, sizeof(column->last) - 1);

    if (last.len > 0 && (cut.len < last.len || (cut.len == last.len && slice_cmp(cut, last) <= 0)))
        column->falls = true;
    memcpy(column->last, cut.ptr, cut.len);
    column->last[cut.len] = '\0';
}

static void note_distinct(struct column *column, struct slice folded)
{
    uint64_t hash = slice_hash(folded, 9) | 1;
    size_t at = hash % DISTINCT_MAX;

    for (size_t tries = 0; tries < DISTINCT_MAX && column->distinct < DISTINCT_MAX - 1; tries++) {
        if (column->seen[at] == hash)
            return;
        if (column->seen[at] == 0) {
            column->seen[at] = hash;
            column->distinct++;
            return;
        }
        at = (at + 1) % DISTINCT_MAX;
    }
}

/* ---- whether one column says what others say ---- */

struct words {
    uint64_t hashes[ROW_WORDS_MAX];
    size_t count;
};

static void add_words(struct words *words, struct slice folded)
{
    for (size_t i = 0, from = 0; i <= folded.len; i++) {
        if (i < folded.len && folded.ptr[i] != ' ')
            continue;
        if (i > from && words->count < ROW_WORDS_MAX)
            words->hashes[words->count++] = slice_hash(slice_sub(folded, from, i), 3);
        from = i + 1;
    }
}

static bool within(const struct words *inner, const struct words *outer)
{
    for (size_t i = 0; i < inner->count; i++) {
        size_t k = 0;
        while (k < outer->count && outer->hashes[k] != inner->hashes[i])
            k++;
        if (k == outer->count)
            return false;
    }
    return inner->count > 0;
}

static void note_repeats(struct column_look *look, const struct words *words)
{
    struct words known = {.count = 0};

    for (size_t i = 0; i < look->count; i++)
        for (size_t k = 0; look->columns[i].known && k < words[i].count && known.count < ROW_WORDS_MAX; k++)
            known.hashes[known.count++] = words[i].hashes[k];
    for (size_t i = 0; i < look->count; i++) {
        if (look->columns[i].known || words[i].count == 0)
            continue;
        look->columns[i].noted++;
        look->columns[i].within_known += within(&words[i], &known);
        for (size_t k = 0; k < look->count; k++)
            look->columns[i].within[k] += k != i && within(&words[i], &words[k]);
    }
}

void column_look_add(struct column_look *look, const struct slice *cells)
{
    struct words *words;

    if (look->rows >= SHEET_LOOK_ROWS)
        return;
    if (look->scratch == NULL)
        look->scratch = arena_new((size_t)16 << 20);
    if (look->scratch == NULL)
        return;
    arena_reset(look->scratch);
    words = ARENA_ARRAY(look->scratch, struct words, look->count + 1);
    for (size_t i = 0; words && i < look->count; i++) {
        struct column *column = &look->columns[i];
        struct slice value = text_trim(cells[i]);
        if (value.len == 0 || text_is_missing(value))
            continue;
        struct slice folded = text_ascii(text_cut(value, 400), look->scratch);
        if (folded.len == 0)
            folded = value;
        add_words(&words[i], folded);
        if (column->known)
            continue;
        column->filled++;
        column->spaced += slice_find_byte(folded, ' ') >= 0;
        column->emails += slice_find_byte(value, '@') > 0;
        column->dates += looks_like_date(value);
        column->moments += looks_like_moment(value);
        note_number(column, value);
        note_distinct(column, folded);
        note_order(column, value);
    }
    if (words && look->rows < REPEAT_ROWS)
        note_repeats(look, words);
    look->rows++;
}

/* ---- the verdict ---- */

static enum field_type type_of(const struct column *column)
{
    double enough = (double)column->filled * OF_TYPE_SHARE;

    if ((double)column->emails >= enough)
        return FIELD_EMAIL;
    if ((double)column->dates >= enough)
        return FIELD_DATE;
    if ((double)column->phones >= enough)
        return FIELD_PHONE;
    if ((double)column->numbers >= enough && column->distinct > CATEGORY_VALUES) {
        if (column->decimals > 0 || column->long_numbers * 2 < column->filled)
            return FIELD_NUMBER;
        return FIELD_ID_NUMBER;
    }
    return column->distinct <= CATEGORY_VALUES && column->filled >= column->distinct * 6 ? FIELD_CATEGORY
                                                                                        : FIELD_TEXT;
}

static bool repeats(const struct column_look *look, size_t at)
{
    const struct column *column = &look->columns[at];
    double enough = (double)column->noted * REPEATS_SHARE;

    if (column->spaced * 10 > column->filled && (double)column->within_known >= enough)
        return true;
    for (size_t k = 0; k < look->count; k++) {
        const struct column *other = &look->columns[k];
        if ((double)column->within[k] < enough)
            continue;
        /* Of two that say the same the first is kept. */
        bool both = !other->known && (double)other->within[at] >= (double)other->noted * REPEATS_SHARE;
        if (other->known || !both || k < at)
            return true;
    }
    return false;
}

/* id, ID_2, record id, uuid, index. */
static bool is_called_id(struct slice name)
{
    static const char *const words[] = {"id", "uuid", "guid", "index", "key", "rowid"};
    char folded[FIELD_NAME_MAX + 1];

    column_field_name(name, 0, folded);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct slice word = slice_str(words[i]), text = slice_str(folded);
        if (slice_eq(text, word) || (slice_ends(text, word) && text.ptr[text.len - word.len - 1] == '_'))
            return true;
    }
    return false;
}

enum column_use column_look_use(struct column_look *look, size_t at, enum field_type *type)
{
    const struct column *column = &look->columns[at];

    if (look->scratch)
        arena_free(&look->scratch);
    if (column->known)
        return COLUMN_KNOWN;
    if ((double)column->filled < (double)look->rows * FILL_LEAST || column->filled < 2)
        return COLUMN_EMPTY;
    if (column->distinct < 2)
        return COLUMN_CONSTANT;
    if ((double)column->moments >= (double)column->filled * OF_TYPE_SHARE)
        return COLUMN_MOMENT;
    if (column->distinct >= column->filled && column->spaced == 0 && column->filled == look->rows &&
        (!column->falls || is_called_id(look->names[at])))
        return COLUMN_UNIQUE;
    if (repeats(look, at))
        return COLUMN_REPEATS;
    if (look->used >= LEARNED_MAX)
        return COLUMN_TOO_MANY;
    look->used++;
    *type = type_of(column);
    return COLUMN_USED;
}

void column_field_name(struct slice heading, size_t column, char name[FIELD_NAME_MAX + 1])
{
    size_t len = 0;

    for (size_t i = 0; i < heading.len && len < FIELD_NAME_MAX - 4; i++) {
        char c = heading.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (is_digit(c) && len > 0))
            name[len++] = c;
        else if (len > 0 && name[len - 1] != '_')
            name[len++] = '_';
    }
    while (len > 0 && name[len - 1] == '_')
        len--;
    name[len] = '\0';
    if (len < 2)
        snprintf(name, FIELD_NAME_MAX + 1, "column_%zu", column + 1);
}
