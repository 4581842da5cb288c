/* cmd_quality.c - `tributary quality`: what stewards' decisions say of the machine's judgements. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"
#include "daemon/cli/text_columns.h"

#include <stdio.h>

#define OUTPUT_MAX_BYTES ((size_t)1 << 20)

static double real_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* As few decimals as tell it from its neighbours: 95 %, 99.9 %. */
static void put_percent(struct buf *out, double share)
{
    buf_printf(out, "%.4g %%", share * 100);
}

static void put_share(struct buf *out, const json_t *share)
{
    const json_t *value = json_object_get(share, "value");
    if (!json_is_number(value)) {
        buf_put_byte(out, '-');
        return;
    }
    buf_printf(out, "%.1f %% (%.1f to %.1f)", json_number_value(value) * 100, real_of(share, "low") * 100,
               real_of(share, "high") * 100);
}

static void cell(struct text_columns *columns, struct buf *text)
{
    text_columns_cell(columns, buf_slice(text));
    buf_reset(text);
}

static void put_heading(struct text_columns *columns, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_columns_cell(columns, slice_str(names[i]));
}

static void put_bands(const json_t *quality, struct buf *out)
{
    static const char *const heading[] = {"probability", "machine", "pairs", "same", "different",
                                          "merged by hand", "split by hand", "right"};
    static const char *const counts[] = {"pairs", "same", "different", "merged_by_hand", "split_by_hand"};
    struct text_columns columns = TEXT_COLUMNS(8, 4 | 8 | 16 | 32 | 64);
    struct buf text = BUF_INIT(4096);
    size_t i;
    json_t *band;
    put_heading(&columns, heading, 8);
    json_array_foreach(json_object_get(quality, "bands"), i, band) {
        const char *machine = json_string_value(json_object_get(band, "machine"));
        put_percent(&text, real_of(band, "from"));
        buf_put_str(&text, " to ");
        put_percent(&text, real_of(band, "to"));
        cell(&columns, &text);
        text_columns_cell(&columns, slice_str(machine));
        for (size_t j = 0; j < 5; j++) {
            buf_printf(&text, "%lld", show_int(band, counts[j]));
            cell(&columns, &text);
        }
        if (strcmp(machine, "links") == 0 && json_is_number(json_object_get(json_object_get(band, "right"), "value")))
            buf_put_str(&text, "at most ");
        put_share(&text, json_object_get(band, "right"));
        cell(&columns, &text);
    }
    text_columns_put(&columns, "", out);
    buf_free(&text);
}

static void put_thresholds(const json_t *quality, struct buf *out)
{
    static const char *const heading[] = {"linking from", "precision, at most", "recall, at most", "decided between"};
    struct text_columns columns = TEXT_COLUMNS(4, 8);
    struct buf text = BUF_INIT(4096);
    size_t i;
    json_t *at;
    put_heading(&columns, heading, 4);
    json_array_foreach(json_object_get(quality, "thresholds"), i, at) {
        put_percent(&text, real_of(at, "link"));
        cell(&columns, &text);
        put_share(&text, json_object_get(at, "precision"));
        cell(&columns, &text);
        put_share(&text, json_object_get(at, "recall"));
        cell(&columns, &text);
        buf_printf(&text, "%lld", show_int(at, "decided"));
        cell(&columns, &text);
    }
    buf_put_byte(out, '\n');
    text_columns_put(&columns, "", out);
    buf_free(&text);
}

static void put_suggestion(const json_t *quality, const char *key, struct buf *out)
{
    const json_t *suggested = json_object_get(quality, "suggested");
    const json_t *value = json_object_get(suggested, key);
    double now = real_of(quality, key);
    if (!json_is_number(value)) {
        buf_printf(out, "match.%s: too few decisions to say (at least %lld in a band)\n", key,
                   show_int(suggested, "least_decided"));
        return;
    }
    double wanted = json_number_value(value);
    bool stays = wanted > now - 1e-9 && wanted < now + 1e-9;
    if (stays)
        buf_printf(out, "match.%s: %.4g fits what was decided\n", key, now);
    else
        buf_printf(out, "match.%s: %.4g rather than %.4g; try it with tributary rematch --preview\n", key, wanted, now);
}

static void put_text(const json_t *quality, struct buf *out)
{
    buf_printf(out, "generation %lld; %lld decided pairs, %lld of them reviews\n\n", show_int(quality, "generation"),
               show_int(quality, "decided_pairs"), show_int(quality, "decided_reviews"));
    put_bands(quality, out);
    if (show_int(quality, "unjudged_same") + show_int(quality, "unjudged_different") > 0)
        buf_printf(out, "share nothing, so were never judged: %lld merged, %lld split by hand\n",
                   show_int(quality, "unjudged_same"), show_int(quality, "unjudged_different"));
    put_thresholds(quality, out);
    buf_put_str(out, "\nIn brackets: 95 % intervals. What is linked is right at most as far as mistakes were found; recall is of pairs\n"
                     "at or above review and what was merged by hand. A split counts once, by its strongest pair.\n\n");
    put_suggestion(quality, "link", out);
    put_suggestion(quality, "review", out);
}

static int run(const struct cli *cli)
{
    json_t *quality = NULL, *args = json_object();
    if (cli_value(cli, "wanted"))
        json_object_set_new(args, "wanted", json_string(cli_value(cli, "wanted")));
    int code = remote_run(cli, "quality", args, &quality);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(quality);
    } else if (code == EXIT_CODE_OK) {
        struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
        put_text(quality, &out);
        fwrite(out.data, 1, out.len, stdout);
        buf_free(&out);
    }
    json_decref(quality);
    return code;
}

static const struct cli_option options[] = {
    {"wanted", 'w', "SHARE", "of what is linked at the margin, so much is to be right (default: 0.95)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_quality = {
    .name = "quality",
    .synopsis = "",
    .help = "precision and recall as stewards' decisions show them, and what thresholds they suggest",
    .details = "Per band of probability: how many pairs the machine judged so, what stewards decided there, and the share that is\n"
               "right, with Wilson's interval. docs/quality.md tells what can and cannot be concluded.",
    .options = options,
    .run = run,
};
