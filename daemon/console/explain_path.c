/* explain_path.c - see explain_path.h. Breadth first; a customer has at most some thousand links. */
#include "daemon/console/explain_path.h"
#include "sql_queries.h"

#include <stdlib.h>

struct step {
    uint64_t record;
    size_t before;  /* the step it was reached from */
    size_t link;
};

static uint64_t end_of(const json_t *link, const char *end)
{
    return (uint64_t)json_integer_value(json_object_get(link, end));
}

static bool reached(const struct step *steps, size_t count, uint64_t record)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].record == record)
            return true;
    }
    return false;
}

/* From the last step back to the first, turned round. */
static json_t *unwind(const json_t *links, const struct step *steps, size_t last)
{
    json_t *path = json_array();
    for (size_t at = last; at != 0; at = steps[at].before) {
        json_t *link = json_copy(json_array_get(links, steps[at].link));
        json_object_set_new(link, "from", json_integer((json_int_t)steps[steps[at].before].record));
        json_object_set_new(link, "to", json_integer((json_int_t)steps[at].record));
        json_array_insert_new(path, 0, link);
    }
    return path;
}

json_t *explain_path_in(const json_t *links, uint64_t a, uint64_t b)
{
    size_t link_count = json_array_size(links), count = 1;
    struct step *steps = calloc(link_count + 2, sizeof(*steps));
    if (steps == NULL)
        return NULL;
    steps[0].record = a;
    json_t *path = NULL;
    for (size_t at = 0; at < count && path == NULL; at++) {
        if (steps[at].record == b)
            path = unwind(links, steps, at);
        for (size_t i = 0; i < link_count && path == NULL; i++) {
            const json_t *link = json_array_get(links, i);
            uint64_t here = end_of(link, "a"), there = end_of(link, "b");
            if (there == steps[at].record) {
                there = here;
                here = steps[at].record;
            }
            if (here == steps[at].record && !reached(steps, count, there) && count < link_count + 2)
                steps[count++] = (struct step){there, at, i};
        }
    }
    free(steps);
    return path ? path : json_array();
}

enum status explain_path(struct engine *engine, uint64_t customer_id, uint64_t a, uint64_t b,
                         json_t **path, struct err *err)
{
    struct db_param param = DB_P_INT8((int64_t)customer_id);
    json_t *links = NULL;
    if (op_rows(engine, &sql_link_of_customer, &param, 1, &links, err) != STATUS_OK)
        return STATUS_FAILED;
    *path = explain_path_in(links, a, b);
    json_decref(links);
    return *path ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory for a path");
}
