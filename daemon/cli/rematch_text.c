/* rematch_text.c - see rematch_text.h. */
#include "daemon/cli/rematch_text.h"
#include "daemon/cli/show.h"

#define RECORDS_SHOWN 4 /* of a part of a sample */

static void put_difference(const json_t *preview, struct buf *out)
{
    buf_printf(out, "generation %lld in the place of %lld", show_int(preview, "generation"), show_int(preview, "from"));
    show_difference(json_object_get(preview, "difference"), out);
    buf_put_byte(out, '\n');
}

static void put_cleaning(const json_t *preview, struct buf *out)
{
    const json_t *cleaning = json_object_get(preview, "cleaning");
    size_t i;
    json_t *refusal;
    if (!json_is_object(cleaning))
        return;
    buf_printf(out, "%lld cleaned again, %lld with another outcome; as they were stay %lld whose raw bytes are gone, %lld "
               "that no source reads any more, %lld that are too large, %lld that the rules would refuse\n",
               show_int(cleaning, "cleaned_again"), show_int(cleaning, "changed"), show_int(cleaning, "kept_raw_gone"),
               show_int(cleaning, "kept_unreadable"), show_int(cleaning, "kept_too_large"),
               show_int(cleaning, "kept_refused"));
    json_array_foreach(json_object_get(cleaning, "refused"), i, refusal) {
        buf_printf(out, "  record %lld would be refused: ", show_int(refusal, "record"));
        show_value(json_object_get(refusal, "code"), out);
        buf_put_byte(out, '\n');
    }
}

static void put_counts(const json_t *preview, struct buf *out)
{
    const json_t *customers = json_object_get(preview, "customers");
    const json_t *leads = json_object_get(preview, "leads"), *reviews = json_object_get(preview, "reviews");
    const json_t *golden = json_object_get(preview, "golden");
    const char *field;
    json_t *count;
    buf_printf(out, "%lld records, %lld of which change their customer\n", show_int(preview, "records"),
               show_int(preview, "records_moved"));
    put_cleaning(preview, out);
    buf_printf(out, "%10lld merges\n%10lld splits\n%10lld customers, now: %lld\n", show_int(preview, "merges"),
               show_int(preview, "splits"), show_int(customers, "after"), show_int(customers, "before"));
    buf_printf(out, "%10lld leads merged into others, %lld split off, %lld made\n", show_int(leads, "merged"),
               show_int(leads, "split"), show_int(leads, "made"));
    buf_printf(out, "%10lld reviews, now: %lld; %lld opened, %lld closed\n", show_int(reviews, "after"),
               show_int(reviews, "before"), show_int(reviews, "opened"), show_int(reviews, "closed"));
    buf_printf(out, "%10lld customers that stay get other golden values\n", show_int(golden, "changed"));
    json_object_foreach(json_object_get(golden, "fields"), field, count)
        buf_printf(out, "%16lld %s\n", (long long)json_integer_value(count), field);
}

/* 17 "Ann Lee" (shop 1004) */
static void put_record(const json_t *names, json_int_t record, struct buf *out)
{
    char id[24];
    snprintf(id, sizeof(id), "%lld", (long long)record);
    const json_t *texts = json_object_get(names, id);
    buf_put_str(out, id);
    if (json_string_length(json_array_get(texts, 0)) > 0) {
        buf_put_str(out, " \"");
        show_value(json_array_get(texts, 0), out);
        buf_put_byte(out, '"');
    }
    if (texts) {
        buf_put_str(out, " (");
        show_value(json_array_get(texts, 1), out);
        buf_put_byte(out, ' ');
        show_value(json_array_get(texts, 2), out);
        buf_put_byte(out, ')');
    }
}

static void put_part(const json_t *names, const char *customer, const json_t *records, struct buf *out)
{
    size_t i;
    json_t *record;
    buf_printf(out, "    customer %s: ", customer);
    json_array_foreach(records, i, record) {
        if (i == RECORDS_SHOWN) {
            buf_printf(out, " and %zu more", json_array_size(records) - i);
            break;
        }
        buf_put_str(out, i ? ", " : "");
        put_record(names, json_integer_value(record), out);
    }
    buf_put_byte(out, '\n');
}

static void put_groups(const json_t *samples, const char *key, const char *parts, const char *heading,
                       struct buf *out)
{
    const json_t *list = json_object_get(samples, key), *names = json_object_get(samples, "names");
    size_t i;
    json_t *sample, *records;
    const char *customer;
    if (json_array_size(list) > 0)
        buf_printf(out, "\n%s\n", heading);
    json_array_foreach(list, i, sample) {
        const json_t *strongest = json_object_get(sample, "strongest");
        buf_printf(out, "  customer %lld, %lld records %s", show_int(sample, "customer"), show_int(sample, "records"),
                   parts);
        if (json_is_object(strongest))
            buf_printf(out, "; strongest pair %lld and %lld: %.1f %%", show_int(strongest, "a"),
                       show_int(strongest, "b"), json_real_value(json_object_get(strongest, "probability")) * 100);
        buf_put_byte(out, '\n');
        json_object_foreach(json_object_get(sample, parts), customer, records)
            put_part(names, customer, records, out);
    }
}

static void put_reviews(const json_t *samples, const char *key, const char *heading, struct buf *out)
{
    const json_t *list = json_object_get(samples, key), *names = json_object_get(samples, "names");
    size_t i;
    json_t *review;
    if (json_array_size(list) > 0)
        buf_printf(out, "\n%s\n", heading);
    json_array_foreach(list, i, review) {
        buf_printf(out, "  %5.1f %% ", json_real_value(json_object_get(review, "probability")) * 100);
        show_value(json_object_get(review, "reason"), out);
        buf_put_str(out, ": ");
        put_record(names, json_integer_value(json_object_get(review, "a")), out);
        buf_put_str(out, " and ");
        put_record(names, json_integer_value(json_object_get(review, "b")), out);
        buf_put_byte(out, '\n');
    }
}

static void put_golden(const json_t *samples, struct buf *out)
{
    const json_t *list = json_object_get(samples, "golden");
    size_t i;
    json_t *sample, *change;
    const char *field;
    if (json_array_size(list) > 0)
        buf_put_str(out, "\nother golden values\n");
    json_array_foreach(list, i, sample) {
        buf_printf(out, "  customer %lld\n", show_int(sample, "customer"));
        json_object_foreach(json_object_get(sample, "changes"), field, change) {
            buf_printf(out, "    %s: ", field);
            show_value(json_array_get(change, 0), out);
            buf_put_str(out, " -> ");
            show_value(json_array_get(change, 1), out);
            buf_put_byte(out, '\n');
        }
    }
}

void rematch_preview_text(const json_t *preview, struct buf *out)
{
    const json_t *samples = json_object_get(preview, "samples");
    put_difference(preview, out);
    put_counts(preview, out);
    put_groups(samples, "merges", "from", "merges", out);
    put_groups(samples, "splits", "into", "splits", out);
    put_reviews(samples, "reviews_opened", "reviews opened", out);
    put_reviews(samples, "reviews_closed", "reviews closed", out);
    put_golden(samples, out);
    buf_put_str(out, "\nnothing is changed; tributary rematch --apply does it\n");
}
