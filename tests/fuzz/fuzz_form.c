/* fuzz_form.c - any bytes as a form's body: the first line is its content type. What is read is UTF-8 without NUL, and the
 * stored bytes give the same record again. */
#include "connectors/form.h"
#include "connectors/form_body.h"
#include "connectors/form_intern.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void must_be_text(struct slice text)
{
    must(utf8_valid(text) && (text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL));
}

static void check_record(const struct raw_record *record)
{
    for (size_t i = 0; i < record->columns->count; i++) {
        must_be_text(record->columns->names[i]);
        must_be_text(record->values[i]);
        for (size_t j = 0; j < i; j++)
            must(!slice_eq(record->columns->names[i], record->columns->names[j]));
    }
    for (size_t i = 0; i < record->consent_count; i++)
        must_be_text(record->consents[i].text);
    must(record->activity_count == 1 && record->external_id.len > 0);
    must_be_text(record->activities[0].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct source_context context = {.name = "fuzz"};
    struct slice all = slice_of((const char *)data, size);
    ptrdiff_t line = slice_find_byte(all, '\n');
    struct slice type = slice_sub(all, 0, line < 0 ? 0 : (size_t)line);
    struct slice body = slice_sub(all, line < 0 ? 0 : (size_t)line + 1, all.len);
    struct arena *arena = arena_new((size_t)32 << 20);
    struct buf meta = BUF_INIT((size_t)4 << 20);
    struct delivery first, second;
    struct err err;
    form_put_meta(&meta, &(struct form_meta){.content_type = type, .key = SLICE("r:1"), .ip = SLICE("::1"),
                                             .page = slice_sub(body, 0, 200)});
    struct slice layout = SLICE("{\"form\":\"/f\",\"drop\":[\"fax\"],\"consents\":[{\"name\":\"agree\",\"purpose\":\"m\"}]}");
    if (form_connector.parse(&context, layout, buf_slice(&meta), body, arena, &first, &err) == STATUS_OK &&
        first.refusal == NULL) {
        must(first.record_count == 1);
        check_record(&first.records[0]);
        must(form_connector.parse(&context, layout, buf_slice(&meta), body, arena, &second, &err) == STATUS_OK ||
             arena_failed(arena));
        if (!arena_failed(arena)) {
            struct content_hash a = raw_record_hash(&first.records[0]), b = raw_record_hash(&second.records[0]);
            must(a.high == b.high && a.low == b.low);
        }
    }
    struct slice prefixes[] = {SLICE("https://a.example/x"), SLICE("http://b.example")};
    if (form_url_allowed(body, prefixes, 2)) {
        struct slice origin = form_url_origin(body);
        must(slice_eq_nocase(origin, SLICE("https://a.example")) || slice_eq_nocase(origin, SLICE("http://b.example")));
    }
    buf_free(&meta);
    arena_free(&arena);
    return 0;
}
