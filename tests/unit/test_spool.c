/* test_spool.c - posts kept without PostgreSQL, and what is left of them when the file is damaged. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/accept/spool.h"
#include "daemon/base/log.h"

#define ENTRIES 64

struct fixture {
    char dir[64], path[96];
    char *good;      /* the file of ENTRIES entries */
    size_t good_len;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->dir, "/tmp/test_spool_XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/spool.db", f->dir);
    *state = f;
    return 0;
}

static void clear_dir(struct fixture *f)
{
    DIR *dir = opendir(f->dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
        unlink(path);
    }
    closedir(dir);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    clear_dir(f);
    rmdir(f->dir);
    free(f->good);
    free(f);
    return 0;
}

static struct spool *must_open(struct fixture *f, int64_t max_bytes)
{
    struct err err;
    struct spool *spool = spool_open(f->path, max_bytes, &err);
    if (spool == NULL)
        fail_msg("%s", err.text);
    return spool;
}

/* Entry n, of very different sizes; some are larger than a page. */
static struct spool_entry make_entry(struct arena *arena, unsigned n)
{
    size_t len = n % 16 == 5 ? 40000 : 20 + n * 7 % 900;
    char *body = arena_alloc(arena, len);
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(n * 31 + i * 7);
    return (struct spool_entry){.source = SLICE("landing"), .received_us = 1000 + n, .layout = SLICE("{}"),
                                .meta = arena_printf(arena, "{\"n\":%u}", n), .position = SLICE("post"),
                                .body = slice_of(body, len)};
}

static void put_entries(struct spool *spool, unsigned from, unsigned to)
{
    struct arena *arena = arena_new(1 << 24);
    struct err err;
    for (unsigned n = from; n < to; n += 4) {
        struct spool_entry entries[4];
        size_t count = 0;
        for (; count < 4 && n + count < to; count++)
            entries[count] = make_entry(arena, n + (unsigned)count);
        if (spool_put(spool, entries, count, &err) != STATUS_OK)
            fail_msg("%s (%d)", err.text, err.number);
    }
    arena_free(&arena);
}

/* Every entry read is exactly one that was put; says how many there are. */
static size_t check_entries(struct spool *spool)
{
    struct arena *arena = arena_new(1 << 26);
    struct spool_entry *entries;
    size_t count;
    struct err err;
    int64_t before = -1;
    assert_int_equal(spool_read(spool, 1000, arena, &entries, &count, &err), STATUS_OK);
    assert_int_equal(count, spool_count(spool));
    for (size_t i = 0; i < count; i++) {
        struct spool_entry wanted = make_entry(arena, (unsigned)(entries[i].received_us - 1000));
        assert_true(slice_eq(entries[i].body, wanted.body) && slice_eq(entries[i].meta, wanted.meta) &&
                    slice_eq(entries[i].source, wanted.source) && slice_eq(entries[i].layout, wanted.layout) &&
                    slice_eq(entries[i].position, wanted.position));
        assert_true(entries[i].received_us > before);
        before = entries[i].received_us;
    }
    arena_free(&arena);
    return count;
}

static void test_entries_survive_and_are_forgotten_in_order(void **state)
{
    struct fixture *f = *state;
    struct spool *spool = must_open(f, 1 << 24);
    put_entries(spool, 0, 10);
    spool_close(&spool);
    spool = must_open(f, 1 << 24);
    assert_int_equal(spool_count(spool), 10);
    assert_int_equal(check_entries(spool), 10);
    struct arena *arena = arena_new(1 << 24);
    struct spool_entry *entries;
    size_t count;
    struct err err;
    assert_int_equal(spool_read(spool, 4, arena, &entries, &count, &err), STATUS_OK);
    assert_int_equal(count, 4);
    assert_int_equal(spool_forget(spool, entries[3].spool_id, &err), STATUS_OK);
    arena_free(&arena);
    assert_int_equal(check_entries(spool), 6);
    put_entries(spool, 10, 12);
    assert_int_equal(check_entries(spool), 8);
    assert_int_equal(spool_forget(spool, INT64_MAX, &err), STATUS_OK);
    assert_int_equal(spool_count(spool), 0);
    assert_int_equal(spool_bytes(spool), 0);
    spool_close(&spool);
}

static void test_its_files_are_for_nobody_else(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(0);
    struct spool *spool = must_open(f, 1 << 20);
    DIR *dir = opendir(f->dir);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat found;
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
        assert_int_equal(stat(path, &found), 0);
        assert_true(S_ISDIR(found.st_mode) || (found.st_mode & 077) == 0);
    }
    closedir(dir);
    umask(before);
    spool_close(&spool);
}

static void test_its_bound_holds_all_or_none(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new(1 << 24);
    struct spool *spool = must_open(f, 3000);
    struct err err;
    struct spool_entry entries[2] = {make_entry(arena, 1), make_entry(arena, 5)};
    assert_int_equal(spool_put(spool, entries, 1, &err), STATUS_OK);
    assert_int_equal(spool_put(spool, entries, 2, &err), STATUS_FAILED);
    assert_string_equal(err.id, "accept.spool_full");
    assert_int_equal(err.retry, RETRY_LATER);
    assert_int_equal(check_entries(spool), 1);
    spool_close(&spool);
    arena_free(&arena);
}

/* ---- damage ---- */

static void write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void make_good(struct fixture *f)
{
    struct spool *spool = must_open(f, 1 << 24);
    struct stat info;
    put_entries(spool, 0, ENTRIES);
    spool_close(&spool); /* the log goes into the file */
    assert_int_equal(stat(f->path, &info), 0);
    f->good_len = (size_t)info.st_size;
    f->good = malloc(f->good_len);
    FILE *file = fopen(f->path, "r");
    assert_int_equal(fread(f->good, 1, f->good_len, file), f->good_len);
    fclose(file);
}

/* Opens the damaged file; whatever is in it is right, and it can be written. */
static size_t recover(struct fixture *f, const char *bytes, size_t len)
{
    clear_dir(f);
    write_file(f->path, bytes, len);
    struct spool *spool = must_open(f, 1 << 24);
    size_t count = check_entries(spool);
    put_entries(spool, 1000, 1001);
    assert_int_equal(check_entries(spool), count + 1);
    spool_close(&spool);
    return count;
}

static void test_any_flipped_bit_costs_at_most_a_few_entries(void **state)
{
    struct fixture *f = *state;
    make_good(f);
    char *bytes = malloc(f->good_len);
    size_t least = ENTRIES;
    for (size_t i = 0; i < 300; i++) {
        size_t at = i < 150 ? i : i * 2654435761u % f->good_len; /* all of the header, a sample of the rest */
        memcpy(bytes, f->good, f->good_len);
        bytes[at] = (char)(bytes[at] ^ (1 << (i % 8)));
        size_t count = recover(f, bytes, f->good_len);
        if (count < ENTRIES - 5)
            fail_msg("a bit flipped at %zu left %zu entries", at, count);
        least = count < least ? count : least;
    }
    free(bytes);
    print_message("    fewest entries left of %d: %zu\n", ENTRIES, least);
}

static void test_a_file_cut_short_gives_what_is_before_the_cut(void **state)
{
    struct fixture *f = *state;
    make_good(f);
    size_t before = 0;
    for (size_t i = 0; i <= 60; i++) {
        size_t len = f->good_len * i / 60;
        size_t count = recover(f, f->good, len);
        assert_true(count <= ENTRIES);
        if (i == 60)
            assert_int_equal(count, ENTRIES);
        before = count;
    }
    assert_int_equal(before, ENTRIES);
    assert_true(recover(f, f->good, f->good_len / 2) > 0);
}

static void test_zeroed_garbage_and_missing_files_start_anew(void **state)
{
    struct fixture *f = *state;
    char *zero = calloc(1, 65536);
    assert_int_equal(recover(f, zero, 65536), 0);
    assert_int_equal(recover(f, "not a database at all", 21), 0);
    assert_int_equal(recover(f, "", 0), 0);
    free(zero);
}

static void test_a_zeroed_page_leaves_the_entries_of_all_others(void **state)
{
    struct fixture *f = *state;
    make_good(f);
    char *bytes = malloc(f->good_len);
    for (size_t at = 0; at + 16384 <= f->good_len; at += 16384) {
        memcpy(bytes, f->good, f->good_len);
        memset(bytes + at, 0, 16384);
        assert_true(recover(f, bytes, f->good_len) > 0);
    }
    free(bytes);
}

/* Regression by design: the process may die between the two renames of a renewal. */
static void test_a_renewal_that_was_cut_off_is_finished(void **state)
{
    struct fixture *f = *state;
    char new_path[128], log_path[128];
    make_good(f);
    clear_dir(f);
    snprintf(new_path, sizeof(new_path), "%s.new", f->path);
    snprintf(log_path, sizeof(log_path), "%s-wal", f->path);
    write_file(new_path, f->good, f->good_len);
    write_file(log_path, "stale", 5);
    struct spool *spool = must_open(f, 1 << 24);
    assert_int_equal(check_entries(spool), ENTRIES);
    spool_close(&spool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_entries_survive_and_are_forgotten_in_order),
        TEST(test_its_files_are_for_nobody_else),
        TEST(test_its_bound_holds_all_or_none),
        TEST(test_any_flipped_bit_costs_at_most_a_few_entries),
        TEST(test_a_file_cut_short_gives_what_is_before_the_cut),
        TEST(test_zeroed_garbage_and_missing_files_start_anew),
        TEST(test_a_zeroed_page_leaves_the_entries_of_all_others),
        TEST(test_a_renewal_that_was_cut_off_is_finished),
    };
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
