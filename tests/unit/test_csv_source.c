/* test_csv_source.c - the drop folder: claiming, resuming after a crash at any row, refusing,
 * putting away. */
#include "tests/unit/connector_fixture.h"

#include "connectors/csv.h"

#define ROWS_MAX 256

/* What a run of the source gave, as text: one line a delivery. */
struct run {
    struct pull_source *source;
    struct arena *arena;
    struct delivery_batch batch;
    char cursor[8192]; /* of the last durable batch */
    struct buf seen;
};

static void run_open(struct run *run, struct fixture *fixture)
{
    struct err err = {0};
    run->arena = arena_new(32 << 20);
    run->source = csv_connector.open(&fixture->context, slice_str(run->cursor), &err);
    if (run->source == NULL)
        fail_msg("%s", err.text);
}

/* As a crash does: nothing of this life is kept but the cursor. */
static void run_crash(struct run *run)
{
    if (run->source)
        csv_connector.close(&run->source);
    arena_free(&run->arena);
}

static void run_close(struct run *run)
{
    run_crash(run);
    buf_free(&run->seen);
}

static void note(struct run *run, const struct delivery *delivery)
{
    buf_printf(&run->seen, "%.*s ", SLICE_ARG(delivery->position));
    if (delivery->record_count == 0) {
        buf_printf(&run->seen, "!%s %.*s\n", delivery->refusal, SLICE_ARG(delivery->refusal_param));
        return;
    }
    const struct raw_record *record = &delivery->records[0];
    buf_printf(&run->seen, "%.*s", SLICE_ARG(record->external_id));
    for (size_t i = 0; i < record->columns->count; i++)
        buf_printf(&run->seen, " %.*s=%.*s", SLICE_ARG(record->columns->names[i]),
                   SLICE_ARG(record->values[i]));
    buf_printf(&run->seen, "\n");
}

/* Stored bytes give the same records again. */
static void parses_the_same(struct fixture *fixture, const struct delivery_batch *batch,
                            const struct delivery *delivery)
{
    struct delivery again;
    struct err err = {0};
    struct arena *arena = arena_new(8 << 20);
    assert_int_equal(csv_connector.parse(&fixture->context, batch->layout, delivery->meta,
                                         delivery->body, arena, &again, &err),
                     STATUS_OK);
    assert_int_equal(again.record_count, delivery->record_count);
    assert_true((again.refusal == NULL) == (delivery->refusal == NULL));
    if (again.refusal)
        assert_string_equal(again.refusal, delivery->refusal);
    for (size_t i = 0; i < again.record_count; i++) {
        struct content_hash a = raw_record_hash(&again.records[i]);
        struct content_hash b = raw_record_hash(&delivery->records[i]);
        assert_true(a.high == b.high && a.low == b.low);
        assert_true(slice_eq(again.records[i].external_id, delivery->records[i].external_id));
        assert_true(again.records[i].effective_us == delivery->records[i].effective_us);
    }
    arena_free(&arena);
}

/* One batch, taken as durable. False when there was nothing within a second. */
static bool run_next(struct run *run, struct fixture *fixture, size_t max)
{
    int64_t wait_ms;
    struct err err = {0};
    arena_reset(run->arena);
    enum status status =
        csv_connector.next(run->source, max, run->arena, &run->batch, &wait_ms, &err);
    if (status == STATUS_FAILED)
        fail_msg("%s", err.text);
    if (status != STATUS_OK)
        return false;
    for (size_t i = 0; i < run->batch.count; i++) {
        note(run, &run->batch.deliveries[i]);
        parses_the_same(fixture, &run->batch, &run->batch.deliveries[i]);
    }
    assert_true(run->batch.cursor.len > 0 && run->batch.cursor.len < sizeof(run->cursor));
    snprintf(run->cursor, sizeof(run->cursor), "%.*s", (int)run->batch.cursor.len,
             run->batch.cursor.ptr);
    return true;
}

/* Everything that is there, then one look more that finds nothing. */
static void run_all(struct run *run, struct fixture *fixture, size_t max)
{
    int64_t deadline = clock_monotonic_us(clock_system()) + 20 * 1000000;
    bool any = false;
    while (run_next(run, fixture, max) || !any) {
        any = any || run->batch.count > 0 || strstr(run->cursor, "\"state\":\"finished\"");
        assert_true(clock_monotonic_us(clock_system()) < deadline);
    }
}

static const char *seen(struct run *run)
{
    buf_put_byte(&run->seen, '\0');
    run->seen.len--;
    return run->seen.data;
}

static void start(struct fixture *fixture, struct run *run, const char *options)
{
    fixture_open(fixture);
    const char *yaml =
        arena_printf(fixture->arena, "drop: %s/in\nsettle: 20ms\n%s", fixture->dir, options).ptr;
    fixture->context.options = fixture_options(fixture, csv_connector.options, yaml);
    *run = (struct run){.seen = BUF_INIT(1 << 20)};
    mkdir(fixture_path(fixture, "in"), 0770);
}

static void test_a_dropped_sheet_becomes_records_and_moves_to_done(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [order, line]\ntime: at\n");
    fixture_write(&fixture, "in/a.csv",
                  SLICE("order,line,name,phone,at\r\n7,1,张三,138,2026-03-01 10:00:00\r\n"
                        "7,,李四,139,\r\n8,1,王五\r\n9,1,\"赵\r\n六\",137,nonsense,,\r\n"));
    run_open(&run, &fixture);
    run_all(&run, &fixture, 100);
    assert_string_equal(seen(&run), "a.csv:2 7\x1F"
                                    "1 order=7 line=1 name=张三 phone=138 at=2026-03-01 10:00:00\n"
                                    "a.csv:3 !csv.no_id line\n"
                                    "a.csv:4 !csv.ragged_row 3\n"
                                    "a.csv:5 9\x1F"
                                    "1 order=9 line=1 name=赵\r\n六 phone=137 at=nonsense\n");
    assert_true(fixture_exists(&fixture, "in/done/a.csv"));
    assert_false(fixture_exists(&fixture, "in/a.csv"));
    run_close(&run);
    fixture_close(&fixture);
}

static void test_the_effective_time_is_read_in_the_sources_time_zone(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "time: at\n");
    fixture_write(&fixture, "in/a.csv",
                  SLICE("name,phone,at\nann,1,2026-03-01 10:00:00\nbob,2,soon\n"));
    run_open(&run, &fixture);
    while (!run_next(&run, &fixture, 10))
        ;
    assert_int_equal(run.batch.count, 2);
    assert_true(run.batch.deliveries[0].records[0].effective_us == INT64_C(1772330400000000));
    assert_true(run.batch.deliveries[1].records[0].effective_us == 0);
    run_close(&run);
    fixture_close(&fixture);
}

static void test_the_same_row_is_the_same_record_wherever_it_stands(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    char first[64], second[64];
    start(&fixture, &run, "");
    fixture_write(&fixture, "in/a.csv", SLICE("name,phone,note\nann,1,x\nbob,2,y\n"));
    fixture_write(&fixture, "in/b.csv", SLICE("phone;name\n2;bob\n"));
    run_open(&run, &fixture);
    run_all(&run, &fixture, 100);
    assert_int_equal(sscanf(strstr(seen(&run), "a.csv:3"), "a.csv:3 %40s", first), 1);
    assert_int_equal(sscanf(strstr(seen(&run), "b.csv:2"), "b.csv:2 %40s", second), 1);
    assert_string_equal(first, second);
    assert_memory_equal(first, "h:", 2);
    run_close(&run);
    fixture_close(&fixture);
}

static void put_sheet(struct buf *text, const char *encoding)
{
    buf_put_str(text, "name,phone,note\r\n");
    for (int i = 0; i < 40; i++) {
        if (i % 7 == 3)
            buf_printf(text, "\"n\r\n%d\",\"1\"\"%d\",%s\r\n", i, i, encoding);
        else if (i % 11 == 5)
            buf_printf(text, "ragged%d\r\n\r\n", i);
        else
            buf_printf(text, "name%d,%d,%s\r\n", i, i, encoding);
    }
}

/* Killed after each row, once with the last batch durable and once with it lost: the deliveries are
 * those of a reading in one go, and a lost batch comes again unchanged. */
static void check_crashes(const char *note_text)
{
    struct fixture fixture;
    struct run whole, broken;
    struct buf text = BUF_INIT(1 << 20);
    put_sheet(&text, note_text);
    start(&fixture, &whole, "id: [name]\n");
    fixture_write(&fixture, "in/a.csv", buf_slice(&text));
    run_open(&whole, &fixture);
    run_all(&whole, &fixture, 1000);
    fixture_write(&fixture, "in/a.csv", buf_slice(&text));
    broken = (struct run){.seen = BUF_INIT(1 << 20)};
    for (size_t step = 0; !strstr(broken.cursor, "\"state\":\"finished\""); step++) {
        struct run lost = {.seen = BUF_INIT(1 << 20)};
        assert_true(step < 1000);
        memcpy(lost.cursor, broken.cursor, sizeof(lost.cursor));
        run_open(&lost, &fixture);
        while (!run_next(&lost, &fixture, 1 + step % 3))
            ;
        run_close(&lost);
        run_open(&broken, &fixture);
        assert_true(run_next(&broken, &fixture, 1 + step % 3));
        run_crash(&broken);
    }
    run_open(&broken, &fixture);
    assert_false(run_next(&broken, &fixture, 10));
    assert_string_equal(seen(&broken), seen(&whole));
    assert_true(fixture_exists(&fixture, "in/done/a.csv"));
    assert_true(fixture_exists(&fixture, "in/done/a-2.csv"));
    run_close(&broken);
    run_close(&whole);
    buf_free(&text);
    fixture_close(&fixture);
}

static void test_a_crash_after_any_row_loses_and_repeats_nothing(void **state)
{
    (void)state;
    check_crashes("plain");
    check_crashes("张三");
    check_crashes("\xD5\xC5\xC8\xFD");
}

static void test_a_changed_prefix_is_a_new_file(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    fixture_write(&fixture, "in/a.csv", SLICE("name,phone\nann,1\nbob,2\ncat,3\n"));
    run_open(&run, &fixture);
    while (!run_next(&run, &fixture, 2))
        ;
    run_crash(&run);
    const char *claimed = strstr(run.cursor, "\"file\":\"") + 8;
    const char *work =
        arena_printf(fixture.arena, "in/work/%.*s", (int)(strchr(claimed, '"') - claimed), claimed)
            .ptr;
    fixture_write(&fixture, work, SLICE("name,phone\nxnn,1\nbob,2\ncat,3\ndog,4\n"));
    run.seen.len = 0;
    run_open(&run, &fixture);
    run_all(&run, &fixture, 10);
    assert_non_null(strstr(seen(&run), "a.csv:2 xnn"));
    assert_non_null(strstr(seen(&run), "a.csv:5 dog"));
    run_close(&run);
    fixture_close(&fixture);
}

static void test_a_new_file_of_the_same_name_is_read_whole(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    fixture_write(&fixture, "in/a.csv", SLICE("name,phone\nann,1\n"));
    run_open(&run, &fixture);
    run_all(&run, &fixture, 10);
    run_crash(&run);
    fixture_write(&fixture, "in/a.csv", SLICE("name,phone\nann,1\nbob,2\n"));
    run_open(&run, &fixture);
    run_all(&run, &fixture, 10);
    assert_string_equal(seen(&run), "a.csv:2 ann name=ann phone=1\na.csv:2 ann name=ann phone=1\n"
                                    "a.csv:3 bob name=bob phone=2\n");
    run_close(&run);
    fixture_close(&fixture);
}

static void test_a_file_being_written_is_left_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    run_open(&run, &fixture);
    int fd = open(fixture_path(&fixture, "in/a.csv"), O_WRONLY | O_CREAT, 0660);
    assert_true(write(fd, "name,phone\nan", 13) == 13);
    assert_false(run_next(&run, &fixture, 10));
    assert_false(run_next(&run, &fixture, 10));
    assert_true(write(fd, "n,1\n", 4) == 4);
    close(fd);
    fixture_write(&fixture, "in/b.csv.part", SLICE("name,phone\nbob,2\n"));
    run_all(&run, &fixture, 10);
    assert_string_equal(seen(&run), "a.csv:2 ann name=ann phone=1\n");
    run_close(&run);
    fixture_close(&fixture);
}

/* A file opened in place while somebody still writes it. */
static struct pull_source *open_in_place(struct fixture *fixture, const char *name)
{
    struct err err = {0};
    struct pull_source *source =
        csv_open_file(&fixture->context, fixture_path(fixture, name), SLICE_EMPTY, &err);
    if (source == NULL)
        fail_msg("%s", err.text);
    return source;
}

static size_t next_in_place(struct run *run, struct pull_source *source, size_t max)
{
    int64_t wait_ms;
    struct err err = {0};
    arena_reset(run->arena);
    enum status status = csv_connector.next(source, max, run->arena, &run->batch, &wait_ms, &err);
    if (status == STATUS_EMPTY)
        return SIZE_MAX;
    assert_int_equal(status, STATUS_OK);
    for (size_t i = 0; i < run->batch.count; i++)
        note(run, &run->batch.deliveries[i]);
    return run->batch.count;
}

static void test_a_file_that_grows_while_it_is_read_is_read_on(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    run.arena = arena_new(32 << 20);
    fixture_write(&fixture, "a.csv", SLICE("name,phone\nann,1\nbob,2\nca"));
    struct pull_source *source = open_in_place(&fixture, "a.csv");
    assert_int_equal(next_in_place(&run, source, 2), 2);
    FILE *file = fopen(fixture_path(&fixture, "a.csv"), "ab");
    fputs("t,3\ndog,4\n", file);
    fclose(file);
    while (next_in_place(&run, source, 10) != SIZE_MAX)
        ;
    assert_string_equal(seen(&run), "a.csv:2 ann name=ann phone=1\na.csv:3 bob name=bob phone=2\n"
                                    "a.csv:4 cat name=cat phone=3\na.csv:5 dog name=dog phone=4\n");
    csv_connector.close(&source);
    run_close(&run);
    fixture_close(&fixture);
}

static void test_a_file_rewritten_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    run.arena = arena_new(32 << 20);
    fixture_write(&fixture, "a.csv", SLICE("name,phone\nann,1\nbob,2\n"));
    struct pull_source *source = open_in_place(&fixture, "a.csv");
    assert_int_equal(next_in_place(&run, source, 1), 1);
    fixture_write(&fixture, "a.csv", SLICE("name;phone\neve;5\n"));
    while (next_in_place(&run, source, 10) != SIZE_MAX)
        ;
    assert_non_null(strstr(seen(&run), "a.csv:2 eve name=eve phone=5\n"));
    csv_connector.close(&source);
    run_close(&run);
    fixture_close(&fixture);
}

static void test_a_wide_sheet_and_a_large_batch_fit(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    struct buf text = BUF_INIT(64 << 20);
    start(&fixture, &run, "id: [c0]\n");
    run.arena = arena_new(32 << 20);
    for (int row = -1; row < 300; row++) {
        for (int i = 0; i < 5000; i++)
            buf_printf(&text, row < 0 ? "%sc%d" : "%s%d", i ? "," : "", row < 0 ? i : row);
        buf_put_str(&text, "\n");
    }
    fixture_write(&fixture, "a.csv", buf_slice(&text));
    struct pull_source *source = open_in_place(&fixture, "a.csv");
    size_t rows = 0, count;
    while ((count = next_in_place(&run, source, 1000000)) != SIZE_MAX) {
        rows += count;
        run.seen.len = 0;
        run.seen.failed = false;
    }
    assert_int_equal(rows, 300);
    csv_connector.close(&source);
    buf_free(&text);
    run_close(&run);
    fixture_close(&fixture);
}

static void test_what_is_no_sheet_is_refused_once_and_put_aside(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\n");
    fixture_write(&fixture, "in/a.csv.gz", SLICE("\x1F\x8B\x08\0\0\0\0\0"));
    fixture_write(&fixture, "in/b.xls",
                  SLICE("<html><table><tr><td>name</td></tr></table></html>"));
    fixture_write(&fixture, "in/c.csv", SLICE("phone\n1\n"));
    fixture_write(&fixture, "in/d.csv", SLICE(""));
    fixture_write(&fixture, "in/e.xls", SLICE("name\tphone\nann\t1\n"));
    run_open(&run, &fixture);
    for (int i = 0; i < 50 && !fixture_exists(&fixture, "in/done/e.xls"); i++)
        run_next(&run, &fixture, 10);
    assert_non_null(
        strstr(seen(&run), "a.csv.gz !csv.not_a_text_file the file is a gzip archive\n"));
    assert_non_null(strstr(seen(&run), "b.xls !csv.not_a_text_file the file is an HTML page\n"));
    assert_non_null(strstr(seen(&run), "c.csv !csv.no_id_column no column 'name'"));
    assert_non_null(strstr(seen(&run), "e.xls:2 ann name=ann phone=1\n"));
    assert_true(fixture_exists(&fixture, "in/failed/a.csv.gz"));
    assert_true(fixture_exists(&fixture, "in/failed/a.csv.gz.reason.txt"));
    assert_true(fixture_exists(&fixture, "in/failed/b.xls"));
    assert_true(fixture_exists(&fixture, "in/failed/c.csv"));
    assert_true(fixture_exists(&fixture, "in/done/d.csv"));
    run_close(&run);
    fixture_close(&fixture);
}

/* Nothing is passed over without a word because its name is long: 75 Chinese characters are 225 bytes. */
static void test_a_very_long_name_loses_its_middle_and_is_read(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    char name[256] = "in/", shown[256] = "in/done/";
    start(&fixture, &run, "id: [name]\n");
    for (int i = 0; i < 80; i++)
        strcat(name, "表");
    strcat(name, "x.csv");
    for (int i = 0; i < 65; i++) /* 195 of 196 bytes before .csv */
        strcat(shown, "表");
    strcat(shown, ".csv");
    fixture_write(&fixture, name, SLICE("name,phone\nann,1\n"));
    run_open(&run, &fixture);
    run_all(&run, &fixture, 10);
    assert_non_null(strstr(seen(&run), ".csv:2 ann name=ann phone=1\n"));
    assert_true(fixture_exists(&fixture, shown));
    run_close(&run);
    fixture_close(&fixture);
}

/* Who may drop files may not have us read, write or delete elsewhere. */
static void test_links_lead_nowhere(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    struct err err = {0};
    start(&fixture, &run, "id: [name]\n");
    fixture_write(&fixture, "secret.csv", SLICE("name,phone\nann,1\n"));
    assert_int_equal(symlink("../secret.csv", fixture_path(&fixture, "in/a.csv")), 0);
    mkdir(fixture_path(&fixture, "in/work"), 0770);
    mkdir(fixture_path(&fixture, "in/failed"), 0770);
    assert_int_equal(symlink("../../secret.csv", fixture_path(&fixture, "in/work/b.csv")), 0);
    fixture_write(&fixture, "in/work/c.csv", SLICE("\x1F\x8B\x08\0\0"));
    assert_int_equal(symlink("../../secret.csv", fixture_path(&fixture, "in/failed/c.csv.reason.txt")), 0);
    run_open(&run, &fixture);
    for (int i = 0; i < 50 && !fixture_exists(&fixture, "in/failed/c.csv"); i++)
        run_next(&run, &fixture, 10);
    assert_null(strstr(seen(&run), "ann"));
    struct stat about;
    assert_int_equal(stat(fixture_path(&fixture, "secret.csv"), &about), 0);
    assert_int_equal(about.st_size, strlen("name,phone\nann,1\n"));
    run_crash(&run);
    assert_int_equal(nftw(fixture_path(&fixture, "in/done"), fixture_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(symlink("..", fixture_path(&fixture, "in/done")), 0);
    run.source = csv_connector.open(&fixture.context, SLICE_EMPTY, &err);
    assert_null(run.source);
    assert_non_null(strstr(err.text, "no links"));
    buf_free(&run.seen);
    fixture_close(&fixture);
}

static void test_files_put_away_are_deleted_after_their_retention(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    start(&fixture, &run, "id: [name]\nretention: 1ms\n");
    fixture_write(&fixture, "in/a.csv", SLICE("name,phone\nann,1\n"));
    run_open(&run, &fixture);
    int64_t deadline = clock_monotonic_us(clock_system()) + 10 * 1000000;
    bool was_done = false;
    while (!was_done || fixture_exists(&fixture, "in/done/a.csv")) {
        run_next(&run, &fixture, 10);
        was_done = was_done || fixture_exists(&fixture, "in/done/a.csv");
        if (was_done) { /* expiry is looked at once an hour of one life */
            run_crash(&run);
            run_open(&run, &fixture);
        }
        assert_true(clock_monotonic_us(clock_system()) < deadline);
    }
    run_close(&run);
    fixture_close(&fixture);
}

static void test_one_file_is_read_in_place_with_progress(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    struct err err;
    int64_t wait_ms = 0;
    start(&fixture, &run, "id: [name]\n");
    fixture_write(&fixture, "list.csv", SLICE("name,phone\nann,1\nbob,2\ncat,3\n"));
    struct arena *arena = arena_new(16 << 20);
    struct delivery_batch batch;
    struct pull_source *source =
        csv_open_file(&fixture.context, fixture_path(&fixture, "list.csv"), SLICE_EMPTY, &err);
    assert_int_equal(csv_connector.next(source, 2, arena, &batch, &wait_ms, &err), STATUS_OK);
    assert_int_equal(batch.count, 2);
    assert_int_equal(csv_file_progress(source).position_bytes, 23);
    assert_int_equal(csv_file_progress(source).total_bytes, 29);
    char cursor[4096];
    snprintf(cursor, sizeof(cursor), "%.*s", (int)batch.cursor.len, batch.cursor.ptr);
    csv_connector.close(&source);
    source = csv_open_file(&fixture.context, fixture_path(&fixture, "list.csv"), slice_str(cursor),
                           &err);
    assert_int_equal(csv_connector.next(source, 2, arena, &batch, &wait_ms, &err), STATUS_OK);
    assert_int_equal(batch.count, 1);
    assert_true(slice_is(batch.deliveries[0].records[0].external_id, "cat"));
    assert_int_equal(csv_connector.next(source, 2, arena, &batch, &wait_ms, &err), STATUS_EMPTY);
    assert_true(wait_ms < 0);
    csv_connector.close(&source);
    assert_true(fixture_exists(&fixture, "list.csv"));
    arena_free(&arena);
    buf_free(&run.seen);
    fixture_close(&fixture);
}

static void test_stop_is_heard(void **state)
{
    (void)state;
    struct fixture fixture;
    struct run run;
    struct err err;
    int64_t wait_ms;
    start(&fixture, &run, "");
    run_open(&run, &fixture);
    stop_set(&fixture.stop);
    assert_int_equal(csv_connector.next(run.source, 1, run.arena, &run.batch, &wait_ms, &err),
                     STATUS_STOPPED);
    run_close(&run);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dropped_sheet_becomes_records_and_moves_to_done),
        cmocka_unit_test(test_the_effective_time_is_read_in_the_sources_time_zone),
        cmocka_unit_test(test_the_same_row_is_the_same_record_wherever_it_stands),
        cmocka_unit_test(test_a_crash_after_any_row_loses_and_repeats_nothing),
        cmocka_unit_test(test_a_changed_prefix_is_a_new_file),
        cmocka_unit_test(test_a_new_file_of_the_same_name_is_read_whole),
        cmocka_unit_test(test_a_file_being_written_is_left_alone),
        cmocka_unit_test(test_a_file_that_grows_while_it_is_read_is_read_on),
        cmocka_unit_test(test_a_file_rewritten_while_it_is_read_is_read_again),
        cmocka_unit_test(test_a_wide_sheet_and_a_large_batch_fit),
        cmocka_unit_test(test_what_is_no_sheet_is_refused_once_and_put_aside),
        cmocka_unit_test(test_a_very_long_name_loses_its_middle_and_is_read),
        cmocka_unit_test(test_links_lead_nowhere),
        cmocka_unit_test(test_files_put_away_are_deleted_after_their_retention),
        cmocka_unit_test(test_one_file_is_read_in_place_with_progress),
        cmocka_unit_test(test_stop_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
