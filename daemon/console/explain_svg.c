/* explain_svg.c - see explain_svg.h. */
#include "daemon/console/explain_svg.h"

#include <math.h>

#define WIDTH_PX  760
#define LEFT_PX   190 /* of labels */
#define RIGHT_PX  110  /* of numbers */
#define ROW_PX    26
#define TOP_PX    90
#define STEPS_MAX 40

struct step {
    const char *name, *level;
    double from, to;
};

struct chart {
    struct buf *out;
    double least, most;
    size_t count;
    struct step steps[STEPS_MAX];
};

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            buf_printf(out, "&#%d;", *text);
        else if ((unsigned char)*text >= 0x20)
            buf_put_byte(out, (uint8_t)*text);
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double real_of(const json_t *object, const char *key)
{
    double value = json_number_value(json_object_get(object, key));
    return isfinite(value) ? value : 0;
}

static double x_of(const struct chart *chart, double weight)
{
    double span = chart->most - chart->least;
    return LEFT_PX + (weight - chart->least) / span * (WIDTH_PX - LEFT_PX - RIGHT_PX);
}

static void reach(struct chart *chart, double weight)
{
    chart->least = fmin(chart->least, weight);
    chart->most = fmax(chart->most, weight);
}

static void read_steps(struct chart *chart, const json_t *e)
{
    double sum = real_of(e, "prior");
    size_t i;
    json_t *c;
    chart->steps[chart->count++] = (struct step){"prior", "", 0, sum};
    json_array_foreach(json_object_get(e, "comparisons"), i, c) {
        if (chart->count == STEPS_MAX - 1)
            break;
        double weight = real_of(c, "weight");
        chart->steps[chart->count++] = (struct step){text_of(c, "name"), text_of(c, "level"), sum, sum + weight};
        sum += weight;
    }
    chart->steps[chart->count++] = (struct step){"total", "", 0, real_of(e, "weight")};
    for (i = 0; i < chart->count; i++) {
        reach(chart, chart->steps[i].from);
        reach(chart, chart->steps[i].to);
    }
    reach(chart, real_of(json_object_get(e, "link"), "weight"));
    chart->least -= 1;
    chart->most += 1;
}

static void put_head(struct chart *chart, const json_t *e, int height)
{
    struct buf *out = chart->out;
    const json_t *a = json_object_get(e, "a"), *b = json_object_get(e, "b");
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "role=\"img\" aria-labelledby=\"title\">\n<style>\n"
               "svg{font:13px system-ui,sans-serif;background:#fff}text{fill:#222}.quiet{fill:#666}"
               ".plus{fill:#2a7d4f}.minus{fill:#b3402e}.total{fill:#3b5b92}.line{stroke:#888;stroke-dasharray:4 3}"
               ".join{stroke:#aaa}\n@media(prefers-color-scheme:dark){svg{background:#1b1d21}text{fill:#eee}"
               ".quiet{fill:#aaa}.plus{fill:#5bbd86}.minus{fill:#e07a66}.total{fill:#87a8e0}}\n</style>\n",
               WIDTH_PX, height, WIDTH_PX, height);
    buf_printf(out, "<title id=\"title\">records %lld and %lld: %.1f bits, %.2f %%, ",
               (long long)json_integer_value(json_object_get(a, "record_id")),
               (long long)json_integer_value(json_object_get(b, "record_id")), real_of(e, "weight"),
               real_of(e, "probability") * 100);
    put_escaped(out, text_of(e, "verdict"));
    buf_printf(out, "</title>\n<text x=\"16\" y=\"26\" font-weight=\"600\">%lld and %lld: ",
               (long long)json_integer_value(json_object_get(a, "record_id")),
               (long long)json_integer_value(json_object_get(b, "record_id")));
    put_escaped(out, text_of(e, "verdict"));
    buf_printf(out, ", %.1f bits, %.2f %%</text>\n", real_of(e, "weight"), real_of(e, "probability") * 100);
    buf_printf(out, "<text class=\"quiet\" x=\"16\" y=\"44\">generation %lld; values are left out%s</text>\n",
               (long long)json_integer_value(json_object_get(e, "generation")),
               json_is_false(json_object_get(e, "shares_live_key"))
                   ? "; no live key is shared: never compared by itself" : "");
}

static void put_threshold(struct chart *chart, double weight, const char *name, int height)
{
    double x = x_of(chart, weight);
    buf_printf(chart->out,
               "<line class=\"line\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n"
               "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s %.1f</text>\n",
               x, x, TOP_PX - 8, height - 10, x, TOP_PX - 14, strcmp(name, "link") == 0 ? "start" : "end",
               name, weight);
}

static void put_step(struct chart *chart, size_t row)
{
    const struct step *step = &chart->steps[row];
    struct buf *out = chart->out;
    double y = TOP_PX + (double)row * ROW_PX;
    double left = x_of(chart, fmin(step->from, step->to)), right = x_of(chart, fmax(step->from, step->to));
    bool is_whole = row == 0 || row + 1 == chart->count;
    const char *style = is_whole ? "total" : step->to >= step->from ? "plus" : "minus";
    buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT_PX - 10, y + 16);
    put_escaped(out, step->name);
    if (step->level[0]) {
        buf_put_str(out, " <tspan class=\"quiet\">");
        put_escaped(out, strcmp(step->level, "else") == 0 ? "differs" : step->level);
        buf_put_str(out, "</tspan>");
    }
    buf_printf(out, "</text>\n<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n",
               style, left, y + 4, fmax(right - left, 1), ROW_PX - 8);
    buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\">%+.1f", right + 5, y + 16,
               is_whole ? step->to : step->to - step->from);
    if (!is_whole) /* the running sum */
        buf_printf(out, " <tspan class=\"quiet\">= %.1f</tspan>", step->to);
    buf_put_str(out, "</text>\n");
    if (row + 1 < chart->count)
        buf_printf(out, "<line class=\"join\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                   x_of(chart, step->to), x_of(chart, step->to), y + ROW_PX - 4, y + ROW_PX + 4);
}

void explain_svg(const json_t *explanation, struct buf *out)
{
    struct chart chart = {.out = out};
    read_steps(&chart, explanation);
    int height = TOP_PX + (int)chart.count * ROW_PX + 14;
    put_head(&chart, explanation, height);
    put_threshold(&chart, real_of(json_object_get(explanation, "review_threshold"), "weight"), "review", height);
    put_threshold(&chart, real_of(json_object_get(explanation, "link"), "weight"), "link", height);
    for (size_t i = 0; i < chart.count; i++)
        put_step(&chart, i);
    buf_put_str(out, "</svg>\n");
}
