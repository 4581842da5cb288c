/* problems.c - the list of what is wrong, and the nearest known word. See yaml.h. */
#include "daemon/base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_MAX   200
#define WORD_MAX_BYTES 64 /* longer words have no neighbours */

void problems_free(struct problems *problems)
{
    free(problems->list);
    *problems = (struct problems){0};
}

static struct problem *next_problem(struct problems *problems)
{
    if (problems->count == PROBLEMS_MAX)
        return NULL;
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity ? problems->capacity * 2 : 16;
        struct problem *list = realloc(problems->list, capacity * sizeof(*list));
        if (list == NULL)
            return NULL;
        problems->list = list;
        problems->capacity = capacity;
    }
    return &problems->list[problems->count++];
}

void problems_add(struct problems *problems, const struct yaml_node *node, const char *format, ...)
{
    struct problem *problem = next_problem(problems);
    if (problem == NULL) {
        problems->dropped++;
        return;
    }
    problem->file = node ? node->file : NULL;
    problem->line = node ? node->line : 0;
    problem->column = node ? node->column : 0;
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    /* A cut must not leave half a character, nor a line break spoil file:line:column: text. */
    size_t len = strlen(problem->text);
    if (len == sizeof(problem->text) - 1) {
        while (len > 0 && ((unsigned char)problem->text[len - 1] & 0xC0) == 0x80)
            len--;
        if (len > 0 && (unsigned char)problem->text[len - 1] >= 0xC0)
            len--;
        problem->text[len] = '\0';
    }
    for (char *c = problem->text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
}

static unsigned char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c - 'A' + 'a');
    return c == '-' ? '_' : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance: insert, delete, replace, swap of neighbours cost one each;
 * letter case and '-' for
 * '_' cost nothing. */
static unsigned edit_distance(struct slice a, struct slice b)
{
    unsigned rows[3][WORD_MAX_BYTES + 1];
    unsigned *before = rows[0], *previous = rows[1], *current = rows[2];
    for (unsigned j = 0; j <= b.len; j++)
        previous[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        current[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned char x = folded(a.ptr[i - 1]), y = folded(b.ptr[j - 1]);
            unsigned cost =
                least(least(previous[j], current[j - 1]) + 1, previous[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b.ptr[j - 2]) && folded(a.ptr[i - 2]) == y)
                cost = least(cost, before[j - 2] + 1);
            current[j] = cost;
        }
        unsigned *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b.len];
}

const char *nearest_word(struct slice word, const char *const *candidates, size_t count)
{
    if (word.len == 0 || word.len > WORD_MAX_BYTES)
        return NULL;
    const char *nearest = NULL;
    unsigned allowed = (unsigned)(word.len / 3), best = allowed + 1;
    for (size_t i = 0; i < count; i++) {
        struct slice candidate = slice_str(candidates[i]);
        if (candidate.len == 0 || candidate.len > WORD_MAX_BYTES)
            continue;
        unsigned distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

bool problems_check_keys(struct problems *problems, const struct yaml_node *map, const char *const *keys, size_t count)
{
    bool good = true;
    for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
        size_t k = 0;
        while (k < count && !slice_is(map->keys[i]->text, keys[k]))
            k++;
        if (k < count)
            continue;
        const char *near = nearest_word(map->keys[i]->text, keys, count);
        problems_add(problems, map->keys[i], "unknown key '" SLICE_FMT "'%s%s", SLICE_ARG(map->keys[i]->text),
                     near ? "; hint: did you mean " : "", near ? near : "");
        good = false;
    }
    return good;
}
