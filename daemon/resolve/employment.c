/* employment.c - see employment.h. Nodes are numbered from 1, so that 0 is none. */
#include "daemon/resolve/employment.h"

static struct employment_node *node_at(const struct employment *employment, uint32_t number)
{
    return &employment->nodes.items[number - 1];
}

static uint32_t find(const struct u64_map *map, uint64_t record_id)
{
    uint32_t number = u64_map_get(map, record_id);
    return number == NO_VALUE ? 0 : number;
}

void employment_free(struct employment *employment)
{
    employment_nodes_free(&employment->nodes);
    u64_map_free(&employment->by_person);
    u64_map_free(&employment->by_employer);
    employment->free = 0;
}

uint64_t employment_of(const struct employment *employment, uint64_t person)
{
    uint32_t number = find(&employment->by_person, person);
    return number ? node_at(employment, number)->employer : 0;
}

int64_t employment_time(const struct employment *employment, uint64_t person)
{
    uint32_t number = find(&employment->by_person, person);
    return number ? node_at(employment, number)->effective_us : INT64_MAX;
}

static uint32_t take_node(struct employment *employment)
{
    uint32_t number = employment->free;
    if (number) {
        employment->free = node_at(employment, number)->next;
        return number;
    }
    struct employment_node node = {0};
    if (employment->nodes.count == NO_VALUE - 1 || !employment_nodes_push(&employment->nodes, node))
        return 0;
    return (uint32_t)employment->nodes.count;
}

static void give_back(struct employment *employment, uint32_t number)
{
    *node_at(employment, number) = (struct employment_node){.next = employment->free};
    employment->free = number;
}

static void unlink_node(struct employment *employment, uint32_t number)
{
    struct employment_node *node = node_at(employment, number);
    if (node->next)
        node_at(employment, node->next)->previous = node->previous;
    if (node->previous)
        node_at(employment, node->previous)->next = node->next;
    else if (node->next)
        (void)u64_map_set(&employment->by_employer, node->employer, node->next); /* is there: takes no memory */
    else
        u64_map_remove(&employment->by_employer, node->employer);
    u64_map_remove(&employment->by_person, node->person);
    give_back(employment, number);
}

bool employment_set(struct employment *employment, uint64_t person, uint64_t employer, int64_t effective_us)
{
    uint32_t old = find(&employment->by_person, person);
    if (old && node_at(employment, old)->employer == employer) {
        node_at(employment, old)->effective_us = effective_us;
        return true;
    }
    uint32_t first = employer ? find(&employment->by_employer, employer) : 0;
    uint32_t number = employer ? take_node(employment) : 0;
    if (employer && number == 0)
        return false;
    if (employer && !u64_map_set(&employment->by_employer, employer, number)) {
        give_back(employment, number);
        return false;
    }
    if (old)
        unlink_node(employment, old);
    if (employer == 0)
        return true;
    *node_at(employment, number) = (struct employment_node){
        .person = (uint32_t)person, .employer = (uint32_t)employer, .next = first, .effective_us = effective_us};
    if (first)
        node_at(employment, first)->previous = number;
    if (u64_map_set(&employment->by_person, person, number))
        return true;
    unlink_node(employment, number);
    return false;
}

bool employment_since(const struct employment *employment, uint64_t employer, int64_t known_us, int64_t *since_us)
{
    uint32_t number = find(&employment->by_employer, employer);
    if (number == 0)
        return false;
    *since_us = INT64_MAX;
    for (; number && *since_us > known_us; number = node_at(employment, number)->next) {
        if (node_at(employment, number)->effective_us < *since_us)
            *since_us = node_at(employment, number)->effective_us;
    }
    return true;
}

size_t employment_bytes(const struct employment *employment)
{
    return employment->nodes.capacity * sizeof(struct employment_node) + u64_map_bytes(&employment->by_person) +
           u64_map_bytes(&employment->by_employer);
}
