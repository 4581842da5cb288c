/* named.c - see named.h. */
#include "daemon/events/named.h"

#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts, and leaves out what is told twice or needs no telling. */
static void tidy(struct named *named)
{
    size_t kept = 0;
    if (named->other_count > 1)
        qsort(named->others, named->other_count, sizeof(*named->others), by_id);
    for (size_t i = 0; i < named->other_count; i++) {
        uint64_t id = named->others[i];
        if (id != 0 && id != named->subject && kept < NAMED_MAX && (kept == 0 || named->others[kept - 1] != id))
            named->others[kept++] = id;
    }
    named->other_count = kept;
}

bool named_parse(struct named *named, uint64_t subject, struct slice others)
{
    size_t room = 1;
    *named = (struct named){.subject = subject};
    if (others.len == 0)
        return true;
    for (size_t i = 0; i < others.len; i++)
        room += others.ptr[i] == ',';
    named->others = malloc(room * sizeof(*named->others));
    if (named->others == NULL)
        return false;
    for (size_t from = 0; from <= others.len; from++) {
        uint64_t id = 0;
        bool is_number = from < others.len;
        for (; from < others.len && others.ptr[from] != ','; from++) {
            unsigned digit = (unsigned char)others.ptr[from] - '0';
            is_number = is_number && digit <= 9 && id <= (UINT64_MAX - digit) / 10;
            id = is_number ? id * 10 + digit : 0;
        }
        named->others[named->other_count++] = id;
    }
    tidy(named);
    return true;
}

bool named_copy(struct named *named, const struct named *from)
{
    *named = (struct named){.subject = from->subject};
    if (from->other_count == 0)
        return true;
    named->others = malloc(from->other_count * sizeof(*named->others));
    if (named->others == NULL)
        return false;
    memcpy(named->others, from->others, from->other_count * sizeof(*named->others));
    named->other_count = from->other_count;
    return true;
}

void named_free(struct named *named)
{
    free(named->others);
    *named = (struct named){0};
}

static bool has(const struct named *named, uint64_t id)
{
    return named->subject == id ||
           (named->other_count && bsearch(&id, named->others, named->other_count,
                                          sizeof(*named->others), by_id) != NULL);
}

bool named_meet(const struct named *a, const struct named *b)
{
    if (named_count(a) > named_count(b))
        return named_meet(b, a);
    for (size_t i = 0; i < named_count(a); i++)
        if (has(b, named_at(a, i)))
            return true;
    return false;
}
