/* test_csv_reader.c - rows, dialects, headers, faults, and the public suites when they lie beside
 * the checkout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/csv_reader.h"

#define SUITES "../shared/data/csv_suites"

/* A whole input read: cells joined by '|', rows by '\n', faults as !code. */
struct result {
    struct arena *arena;
    struct csv_layout layout;
    struct buf rows;
    size_t row_count, fault_count;
};

static bool known_column(const struct csv_known_columns *known, struct slice name)
{
    (void)known;
    static const char *const names[] = {"name",       "phone",     "email",   "姓名",
                                        "手机",       "邮箱",      "公司",    "Email",
                                        "First Name", "Last Name", "联系方式"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_is(name, names[i]))
            return true;
    }
    return false;
}

static const struct csv_known_columns known_columns = {known_column};

static struct result read_with(struct csv_reader *reader, struct csv_settings settings)
{
    struct result result = {.arena = arena_new(64 << 20), .rows = BUF_INIT(64 << 20)};
    struct err err;
    assert_non_null(reader);
    enum status status = csv_reader_begin(reader, &settings, result.arena, &result.layout, &err);
    assert_true(status == STATUS_OK || status == STATUS_EMPTY);
    struct csv_row row;
    uint64_t expected_offset = csv_reader_offset(reader);
    while (status == STATUS_OK && (status = csv_reader_next(reader, &row, &err)) == STATUS_OK) {
        assert_int_equal(row.offset, expected_offset);
        expected_offset = row.end_offset;
        assert_true(row.end_offset > row.offset);
        if (row.blank && row.fault == CSV_FAULT_NONE)
            continue;
        result.row_count++;
        if (row.fault) {
            result.fault_count++;
            buf_printf(&result.rows, "!%s\n", csv_fault_code(row.fault));
            continue;
        }
        for (size_t i = 0; i < row.cell_count; i++) {
            buf_put_str(&result.rows, i ? "|" : "");
            buf_put_slice(&result.rows, row.cells[i]);
        }
        buf_put_byte(&result.rows, '\n');
    }
    assert_int_equal(status, STATUS_EMPTY);
    csv_reader_free(&reader);
    return result;
}

static struct result read_bytes(struct slice bytes)
{
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    settings.known = &known_columns;
    return read_with(csv_reader_new_memory(bytes), settings);
}

static void result_free(struct result *result)
{
    arena_free(&result->arena);
    buf_free(&result->rows);
}

static void expect(struct slice bytes, const char *columns, const char *rows)
{
    struct result result = read_bytes(bytes);
    struct buf names = BUF_INIT(1 << 20);
    for (size_t i = 0; i < result.layout.column_count; i++) {
        buf_put_str(&names, i ? "|" : "");
        buf_put_slice(&names, result.layout.columns[i]);
    }
    buf_put_byte(&names, '\0');
    buf_put_byte(&result.rows, '\0');
    assert_string_equal(names.data, columns);
    assert_string_equal(result.rows.data, rows);
    buf_free(&names);
    result_free(&result);
}

static void test_quotes_line_ends_and_escapes(void **state)
{
    (void)state;
    expect(SLICE("a,b\r\n1,\"x\"\"y\"\r\n2,\"p\r\nq\"\n"), "a|b", "1|x\"y\n2|p\r\nq\n");
    expect(SLICE("name,phone\rann,1\rbob,2"), "name|phone", "ann|1\nbob|2\n");
    expect(SLICE("name,phone\nann,\"\"\nbob,\" 2 \"\n\n\n"), "name|phone", "ann|\nbob| 2 \n");
    expect(SLICE("name,phone\n\"Big\" Bob,5\" pipe\n"), "name|phone", "Big Bob|5\" pipe\n");
    expect(SLICE(""), "", "");
    expect(SLICE("\n\r\n\n"), "", "");
    expect(SLICE("name,phone"), "name|phone", "");
}

static void test_title_rows_blank_rows_and_sep_line_are_stepped_over(void **state)
{
    (void)state;
    expect(SLICE("sep=;\r\nname;phone\r\nann;1,5\r\n"), "name|phone", "ann|1,5\n");
    expect(SLICE("\"sep=;\"\nname;phone\nann;1\n"), "name|phone", "ann|1\n");
    expect(SLICE("Report of May,,\nmade at 10:00,,\n,,\nname,phone,note\nann,1,x\n"),
           "name|phone|note", "ann|1|x\n");
    expect(SLICE("Title only\n\nx1,y1\nann,13800138000\nbob,13900139000\n"), "x1|y1",
           "ann|13800138000\nbob|13900139000\n");
    expect(SLICE("ann,13800138000\nbob,13900139000\n"), "column 1|column 2",
           "ann|13800138000\nbob|13900139000\n");
}

static void test_column_names_are_unique_and_never_empty(void **state)
{
    (void)state;
    expect(SLICE("name,phone,phone,,x\nann,1,2,3,4\n"), "name|phone|phone#2|column 4|x",
           "ann|1|2|3|4\n");
    expect(SLICE("name,phone,,\nann,1,,\n"), "name|phone", "ann|1||\n");
    expect(SLICE("\xEF\xBB\xBFname,\xEF\xBB\xBFphone\nann,1\n"), "name|phone", "ann|1\n");
}

static void test_an_unclosed_quote_spoils_its_own_line_only(void **state)
{
    (void)state;
    expect(SLICE("name,phone\n\"ann,1\nbob,2\ncat,3\n"), "name|phone",
           "!csv.unclosed_quote\nbob|2\ncat|3\n");
    /* The next quote closes it, but what follows shows that it was an accident. */
    expect(SLICE("name,phone\n\"ann,1\nbob,2\n\"cat\",3\n"), "name|phone",
           "!csv.unclosed_quote\nbob|2\ncat|3\n");
}

static void test_damage_is_a_fault_of_one_row(void **state)
{
    (void)state;
    expect(SLICE("name,phone\nann\0,1\nbob,2\n"), "name|phone", "!csv.nul\nbob|2\n");
    expect(SLICE("name,phone\n张三,1\n李四,1\n王\xFF\xFE,2\nbob,3\n"), "name|phone",
           "张三|1\n李四|1\n!csv.bad_encoding\nbob|3\n");
    /* Cut in mid-character at the end of the file. */
    expect(SLICE("name,phone\n张三,1\n李四,2\n王\xE5\xBC"), "name|phone",
           "张三|1\n李四|2\n!csv.bad_encoding\n");
}

/* GB18030 second bytes may be '|' or '\\' and must not split. */
static void test_gb18030_is_decoded_before_it_is_split(void **state)
{
    (void)state;
    /* 8A 7C is U+59A1, a character whose second byte is the delimiter. */
    expect(SLICE("name|phone\n\x8A\x7C\xD5\xC5|138\n\xC0\xEE\xCB\xC4|139\n"), "name|phone",
           "\xE5\xA6\xA1\xE5\xBC\xA0|138\n\xE6\x9D\x8E\xE5\x9B\x9B|139\n");
}

static void test_utf16_rows_keep_their_original_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "\xFF\xFEn\0a\0m\0e\0\t\0p\0h\0o\0n\0e\0\r\0\n\0"
                                "\x20\x5F\t\0\"\0"
                                "1\0\n\0"
                                "2\0\"\0\r\0\n\0b\0\t\0"
                                "3\0";
    struct csv_reader *reader = csv_reader_new_memory(slice_of(bytes, sizeof(bytes) - 1));
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    settings.known = &known_columns;
    struct arena *arena = arena_new(1 << 20);
    struct csv_layout layout;
    struct csv_row row;
    struct err err;
    assert_int_equal(csv_reader_begin(reader, &settings, arena, &layout, &err), STATUS_OK);
    assert_int_equal(layout.encoding, TEXT_UTF16LE);
    assert_int_equal(layout.delimiter, '\t');
    assert_int_equal(csv_reader_next(reader, &row, &err), STATUS_OK);
    assert_true(slice_is(row.cells[0], "张"));
    assert_true(slice_is(row.cells[1], "1\n2"));
    assert_int_equal(row.raw.len, 14);
    assert_memory_equal(row.raw.ptr, bytes + row.offset, row.raw.len);
    assert_int_equal(row.line, 2);
    assert_int_equal(csv_reader_next(reader, &row, &err), STATUS_OK);
    assert_int_equal(row.line, 4);
    assert_int_equal(row.raw.len, 6);
    assert_int_equal(csv_reader_next(reader, &row, &err), STATUS_EMPTY);
    csv_reader_free(&reader);
    arena_free(&arena);
}

static int temporary_file(void)
{
    char path[] = "/tmp/test_csv_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);
        assert_true(count > 0);
        bytes += count;
        len -= (size_t)count;
    }
}

static void check_long_line(const char *encoding_mark, size_t unit)
{
    int fd = temporary_file();
    struct buf text = BUF_INIT(32 << 20);
    buf_put_str(&text, "name,phone\nann,1\n");
    for (size_t i = 0; i < (size_t)5 << 20; i++)
        buf_put_byte(&text, 'x');
    buf_put_str(&text, "\r\nbob,2\n");
    if (unit == 2)
        write_all(fd, encoding_mark, 2);
    for (size_t i = 0; unit == 2 && i < text.len; i += 4096) {
        char wide[8192] = {0};
        size_t count = text.len - i < 4096 ? text.len - i : 4096;
        for (size_t j = 0; j < count; j++)
            wide[2 * j] = text.data[i + j];
        write_all(fd, wide, 2 * count);
    }
    if (unit == 1)
        write_all(fd, text.data, text.len);
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    struct result result = read_with(csv_reader_new_fd(fd), settings);
    buf_put_byte(&result.rows, '\0');
    assert_string_equal(result.rows.data, "ann|1\n!csv.row_too_long\nbob|2\n");
    result_free(&result);
    buf_free(&text);
    close(fd);
}

static void test_a_line_too_long_is_one_fault_and_the_rest_goes_on(void **state)
{
    (void)state;
    check_long_line("", 1);
    check_long_line("\xFF\xFE", 2);
}

static void test_an_open_quote_over_the_limit_spoils_one_line(void **state)
{
    (void)state;
    int fd = temporary_file();
    struct buf text = BUF_INIT(32 << 20);
    buf_put_str(&text, "name,phone\n\"ann,1\n");
    size_t rows = 0;
    for (; text.len < (size_t)3 << 20; rows++)
        buf_printf(&text, "bob%zu,2\n", rows);
    write_all(fd, text.data, text.len);
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    struct result result = read_with(csv_reader_new_fd(fd), settings);
    assert_int_equal(result.fault_count, 1);
    assert_int_equal(result.row_count, rows + 1);
    result_free(&result);
    buf_free(&text);
    close(fd);
}

static void test_many_columns_are_read_or_refused(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "%sc%d", i ? "," : "", i);
    buf_put_str(&text, "\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "%s%d", i ? "," : "", i);
    buf_put_str(&text, "\n");
    for (int i = 0; i < 20000; i++)
        buf_put_str(&text, ",");
    buf_put_str(&text, "\n");
    struct result result = read_bytes(buf_slice(&text));
    assert_int_equal(result.layout.column_count, 10000);
    assert_int_equal(result.row_count, 2);
    assert_int_equal(result.fault_count, 1);
    result_free(&result);
    buf_free(&text);
}

/* Reading on from every row's offset gives the same rows as reading through. */
static void check_resume_everywhere(struct slice bytes)
{
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    settings.known = &known_columns;
    struct arena *arena = arena_new(16 << 20);
    struct csv_reader *reader = csv_reader_new_memory(bytes);
    struct csv_layout layout;
    struct csv_row row, again;
    struct err err;
    assert_int_equal(csv_reader_begin(reader, &settings, arena, &layout, &err), STATUS_OK);
    uint64_t offset = csv_reader_offset(reader), line = csv_reader_line(reader);
    while (csv_reader_next(reader, &row, &err) == STATUS_OK) {
        struct csv_reader *second = csv_reader_new_memory(bytes);
        assert_int_equal(csv_reader_resume(second, &layout, offset, line, &err), STATUS_OK);
        assert_int_equal(csv_reader_next(second, &again, &err), STATUS_OK);
        assert_int_equal(again.offset, row.offset);
        assert_int_equal(again.end_offset, row.end_offset);
        assert_int_equal(again.line, row.line);
        assert_int_equal(again.fault, row.fault);
        assert_int_equal(again.cell_count, row.cell_count);
        for (size_t i = 0; i < row.cell_count; i++)
            assert_true(slice_eq(again.cells[i], row.cells[i]));
        /* The original bytes alone give the row again. */
        struct csv_reader *alone = csv_reader_new_memory(row.raw);
        assert_int_equal(csv_reader_resume(alone, &layout, 0, 1, &err), STATUS_OK);
        if (row.raw.len > 0) {
            assert_int_equal(csv_reader_next(alone, &again, &err), STATUS_OK);
            assert_int_equal(again.fault, row.fault);
            assert_int_equal(again.cell_count, row.cell_count);
            for (size_t i = 0; i < row.cell_count; i++)
                assert_true(slice_eq(again.cells[i], row.cells[i]));
        }
        csv_reader_free(&alone);
        csv_reader_free(&second);
        offset = csv_reader_offset(reader);
        line = csv_reader_line(reader);
    }
    csv_reader_free(&reader);
    arena_free(&arena);
}

static void test_reading_resumes_at_every_row(void **state)
{
    (void)state;
    check_resume_everywhere(
        SLICE("name,phone\nann,1\n\"b\nob\",2\r\n\"cat,3\n\nd\"og,4\ne\0x,5\nfox,6"));
    check_resume_everywhere(
        SLICE("name;phone\r\n\xD5\xC5\xC8\xFD;1\r\n\"\xC0\r\n\xEE\";2\r\n\xC0\xEE;3"));
}

static void test_layout_survives_json(void **state)
{
    (void)state;
    const struct slice names[] = {SLICE("姓名"), SLICE("a\"b\\"), SLICE("column 3")};
    struct csv_layout layout = {.encoding = TEXT_GB18030,
                                .delimiter = '\t',
                                .quote = 0,
                                .column_count = 3,
                                .columns = names};
    struct csv_layout again;
    struct buf json = BUF_INIT(4096);
    struct arena *arena = arena_new(1 << 20);
    struct err err;
    csv_layout_write(&layout, &json);
    assert_int_equal(csv_layout_read(buf_slice(&json), arena, &again, &err), STATUS_OK);
    assert_int_equal(again.encoding, TEXT_GB18030);
    assert_int_equal(again.delimiter, '\t');
    assert_int_equal(again.quote, 0);
    assert_int_equal(again.column_count, 3);
    assert_true(slice_eq(again.columns[1], names[1]));
    assert_int_equal(csv_layout_read(SLICE("{\"encoding\":\"x\"}"), arena, &again, &err),
                     STATUS_FAILED);
    assert_int_equal(csv_layout_read(SLICE("["), arena, &again, &err), STATUS_FAILED);
    buf_free(&json);
    arena_free(&arena);
}

static void test_what_is_no_text_is_named(void **state)
{
    (void)state;
    assert_non_null(csv_not_text(SLICE("\x1F\x8B\x08")));
    assert_non_null(csv_not_text(SLICE("PK\x03\x04")));
    assert_non_null(csv_not_text(SLICE(" <HTML><table>")));
    assert_null(csv_not_text(SLICE("name,phone\n")));
    assert_null(csv_not_text(SLICE("")));
}

/* --- public suites beside the checkout --- */

static struct slice read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return SLICE_EMPTY;
    char *data = malloc(16 << 20);
    size_t len = fread(data, 1, 16 << 20, file);
    fclose(file);
    return slice_of(data, len);
}

static void need(const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    print_message("%s is not here: skipped\n", path);
    skip();
}

static void test_csv_spectrum(void **state)
{
    (void)state;
    need(SUITES "/csv-spectrum");
    DIR *dir = opendir(SUITES "/csv-spectrum/csvs");
    assert_non_null(dir);
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[512];
        snprintf(path, sizeof(path), SUITES "/csv-spectrum/csvs/%s", entry->d_name);
        struct slice bytes = read_file(path);
        snprintf(path, sizeof(path), SUITES "/csv-spectrum/json/%.*s.json",
                 (int)(strlen(entry->d_name) - 4), entry->d_name);
        json_t *expected = json_load_file(path, 0, NULL);
        assert_non_null(expected);
        struct csv_settings settings = CSV_SETTINGS_GUESS;
        settings.header = CSV_HEADER_FIRST_ROW;
        struct csv_reader *reader = csv_reader_new_memory(bytes);
        struct arena *arena = arena_new(1 << 20);
        struct csv_layout layout;
        struct csv_row row;
        struct err err;
        assert_int_equal(csv_reader_begin(reader, &settings, arena, &layout, &err), STATUS_OK);
        for (size_t i = 0; i < json_array_size(expected); i++) {
            assert_int_equal(csv_reader_next(reader, &row, &err), STATUS_OK);
            for (size_t c = 0; c < layout.column_count; c++) {
                const char *value = json_string_value(json_object_get(
                    json_array_get(expected, i), arena_str(arena, layout.columns[c])));
                if (value == NULL || !slice_is(row.cells[c], value))
                    fail_msg("%s: row %zu, column %zu: '%.*s' for '%s'", entry->d_name, i, c,
                             (int)row.cells[c].len, row.cells[c].ptr, value ? value : "(none)");
            }
        }
        enum status status;
        /* location_coordinates.json is one object whose phone number is not the file's. */
        while ((status = csv_reader_next(reader, &row, &err)) == STATUS_OK)
            assert_true(row.blank || json_is_object(expected));
        assert_int_equal(status, STATUS_EMPTY);
        csv_reader_free(&reader);
        arena_free(&arena);
        json_decref(expected);
        free((void *)(uintptr_t)bytes.ptr);
        files++;
    }
    closedir(dir);
    assert_int_equal(files, 12);
}

static bool rows_equal(struct result *result, const json_t *rows)
{
    struct buf expected = BUF_INIT(1 << 20);
    for (size_t i = 1; i < json_array_size(rows); i++) {
        for (size_t c = 0; c < json_array_size(json_array_get(rows, i)); c++) {
            buf_put_str(&expected, c ? "|" : "");
            buf_put_str(&expected, json_string_value(json_array_get(json_array_get(rows, i), c)));
        }
        buf_put_byte(&expected, '\n');
    }
    bool equal = slice_eq(buf_slice(&expected), buf_slice(&result->rows));
    buf_free(&expected);
    return equal;
}

static void test_synthetic_cn(void **state)
{
    (void)state;
    need(SUITES "/synthetic_cn/manifest.json");
    json_t *manifest = json_load_file(SUITES "/synthetic_cn/manifest.json", 0, NULL);
    assert_non_null(manifest);
    const char *name;
    json_t *about;
    json_object_foreach(json_object_get(manifest, "files"), name, about)
    {
        char path[512];
        snprintf(path, sizeof(path), SUITES "/synthetic_cn/%s", name);
        struct slice bytes = read_file(path);
        const char *encoding = json_string_value(json_object_get(about, "encoding"));
        const char *delimiter = json_string_value(json_object_get(about, "delimiter"));
        bool special =
            delimiter == NULL || strlen(delimiter) != 1 || strcmp(encoding, "mixed") == 0;
        if (special) {
            free((void *)(uintptr_t)bytes.ptr);
            continue;
        }
        struct result result = read_bytes(bytes);
        if (result.layout.delimiter != delimiter[0])
            fail_msg("%s: delimiter '%c'", name, result.layout.delimiter);
        bool gb = strncmp(encoding, "gb", 2) == 0;
        assert_int_equal(result.layout.encoding == TEXT_GB18030, gb);
        const json_t *rows = json_object_get(manifest, "canonical_rows");
        if (strcmp(name, "nul_bytes.csv") == 0)
            assert_int_equal(result.fault_count, 1);
        else if (strcmp(name, "truncated_multibyte_gbk.csv") == 0)
            assert_true(result.fault_count >= 1);
        else if (strcmp(name, "footer_total.csv") == 0)
            assert_int_equal(result.row_count, json_array_size(rows));
        else if (strcmp(name, "cr_only.csv") == 0)
            assert_int_equal(result.row_count + 1, json_array_size(rows));
        else if (strcmp(name, "text_guard_eq.csv") == 0)
            assert_int_equal(result.row_count, 3);
        else if (strcmp(name, "duplicate_headers.csv") == 0)
            assert_true(slice_is(result.layout.columns[2], "手机#2"));
        else if (!rows_equal(&result, rows) &&
                 !rows_equal(&result, json_object_get(manifest, "gbk_rows")))
            fail_msg("%s: %.*s", name, (int)result.rows.len, result.rows.data);
        result_free(&result);
        free((void *)(uintptr_t)bytes.ptr);
    }
    json_decref(manifest);
}

static char named_delimiter(const char *name)
{
    static const struct {
        const char *name;
        char byte;
    } names[] = {
        {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"vslash", '|'}, {"space", ' '}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0)
            return names[i].byte;
    }
    return 0;
}

static void test_csvsniffer_dialects(void **state)
{
    (void)state;
    need(SUITES "/csvsniffer/Dialect_annotations.txt");
    FILE *list = fopen(SUITES "/csvsniffer/Dialect_annotations.txt", "r");
    assert_non_null(list);
    char line[1024];
    size_t files = 0, right = 0;
    while (fgets(line, sizeof(line), list)) {
        char *save, *name = strtok_r(line, "|", &save);
        char *encoding = strtok_r(NULL, "|", &save), *delimiter = strtok_r(NULL, "|", &save);
        char *quote = strtok_r(NULL, "|", &save);
        if (line[0] == '#' || !encoding || !delimiter || !quote || !named_delimiter(delimiter))
            continue;
        char path[512];
        snprintf(path, sizeof(path), SUITES "/csvsniffer/%s", name);
        struct slice bytes = read_file(path);
        if (bytes.len == 0)
            continue;
        struct result result = read_bytes(bytes);
        files++;
        char wanted_quote = strcmp(quote, "singlequote") == 0 ? '\'' : '"';
        if (result.layout.delimiter == named_delimiter(delimiter) &&
            result.layout.quote == wanted_quote)
            right++;
        else
            print_message("  %s: '%c' %c, annotated %s %s\n", name, result.layout.delimiter,
                          result.layout.quote, delimiter, quote);
        result_free(&result);
        free((void *)(uintptr_t)bytes.ptr);
    }
    fclose(list);
    print_message("csvsniffer: %zu of %zu dialects right\n", right, files);
    assert_true(right * 100 >= files * 85);
}

/* Exports as shops and event sites write them: the header row is found under whatever stands above
 * it. */
static void test_exports_of_shops_and_events(void **state)
{
    (void)state;
    static const struct {
        const char *file, *column;
        char delimiter;
    } exports[] = {{"luma_guests.utf8bom.csv", "email", ','},
                   {"taobao_ExportOrderList.gbk.csv", "订单编号", ','},
                   {"shopify_customers_export.csv", "Customer ID", ','},
                   {"pdd_order_export.utf8bom.csv", "订单号", ','},
                   {"meetup_attendees.xls", "Name", '\t'}};
    need("../shared/data/connectors/synthetic");
    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), "../shared/data/connectors/synthetic/%s", exports[i].file);
        struct slice bytes = read_file(path);
        struct result result = read_bytes(bytes);
        bool found = false;
        for (size_t c = 0; c < result.layout.column_count; c++)
            found = found || slice_is(result.layout.columns[c], exports[i].column);
        if (!found || result.layout.delimiter != exports[i].delimiter || result.fault_count > 0)
            fail_msg("%s: %zu columns, first '%.*s', '%c', %zu faults", exports[i].file,
                     result.layout.column_count, (int)result.layout.columns[0].len,
                     result.layout.columns[0].ptr, result.layout.delimiter, result.fault_count);
        result_free(&result);
        free((void *)(uintptr_t)bytes.ptr);
    }
}

static void test_every_suite_file_reads_without_harm(void **state)
{
    (void)state;
    need(SUITES);
    static const char *const dirs[] = {"clevercsv", "csvlint/fixtures", "papaparse", "univocity",
                                       "w3c-csvw-tests"};
    size_t files = 0;
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        char path[1024];
        snprintf(path, sizeof(path), SUITES "/%s", dirs[i]);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir));) {
            if (strstr(entry->d_name, ".csv") == NULL && strstr(entry->d_name, ".tsv") == NULL)
                continue;
            snprintf(path, sizeof(path), SUITES "/%s/%s", dirs[i], entry->d_name);
            struct slice bytes = read_file(path);
            struct result result = read_bytes(bytes);
            result_free(&result);
            free((void *)(uintptr_t)bytes.ptr);
            files++;
        }
        closedir(dir);
    }
    assert_true(files > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_line_ends_and_escapes),
        cmocka_unit_test(test_title_rows_blank_rows_and_sep_line_are_stepped_over),
        cmocka_unit_test(test_column_names_are_unique_and_never_empty),
        cmocka_unit_test(test_an_unclosed_quote_spoils_its_own_line_only),
        cmocka_unit_test(test_damage_is_a_fault_of_one_row),
        cmocka_unit_test(test_gb18030_is_decoded_before_it_is_split),
        cmocka_unit_test(test_utf16_rows_keep_their_original_bytes),
        cmocka_unit_test(test_a_line_too_long_is_one_fault_and_the_rest_goes_on),
        cmocka_unit_test(test_an_open_quote_over_the_limit_spoils_one_line),
        cmocka_unit_test(test_many_columns_are_read_or_refused),
        cmocka_unit_test(test_reading_resumes_at_every_row),
        cmocka_unit_test(test_layout_survives_json),
        cmocka_unit_test(test_what_is_no_text_is_named),
        cmocka_unit_test(test_csv_spectrum),
        cmocka_unit_test(test_synthetic_cn),
        cmocka_unit_test(test_csvsniffer_dialects),
        cmocka_unit_test(test_exports_of_shops_and_events),
        cmocka_unit_test(test_every_suite_file_reads_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
