/*
 * tell_sources.c - of which sources a customer has records, for the sinks that want those of some sources only.
 *
 * The records that leave a customer in this turn count as well: whoever knows of it through them is told that they left, that
 * it was split, or that nothing of it is left.
 */
#include "daemon/resolve/resolver.intern.h"

static void add_source(struct turn *turn, struct told_sources *told, uint64_t record_id)
{
    const struct roster_entry *entry = roster_at(turn->r->roster, record_id);
    int32_t id = turn->r->settings.sources->list[entry->source].source_id;
    for (size_t i = 0; i < told->count; i++)
        if (told->ids[i] == id)
            return;
    size_t at = told->count++;
    for (; at > 0 && told->ids[at - 1] > id; at--)
        told->ids[at] = told->ids[at - 1];
    told->ids[at] = id;
}

struct told_sources tell_sources(struct turn *turn, const uint64_t customers[2], const uint64_t *members,
                                 size_t member_count)
{
    const struct graph_move *moves[4];
    size_t counts[4] = {0}, most = member_count;
    for (size_t i = 0; i < 2; i++) {
        moves[i] = turn_moves_from(turn->left, turn->left_count, customers[i], &counts[i]);
        moves[2 + i] = turn_moves_from(turn->removed, turn->removed_count, customers[i], &counts[2 + i]);
    }
    for (size_t i = 0; i < 4; i++)
        most += counts[i];
    if (most > turn->r->settings.sources->count)
        most = turn->r->settings.sources->count;
    struct told_sources told = {ARENA_ARRAY(turn->arena, int32_t, most + 1), 0};
    for (size_t i = 0; told.ids && i < member_count; i++)
        add_source(turn, &told, members[i]);
    for (size_t k = 0; told.ids && k < 4; k++)
        for (size_t i = 0; i < counts[k]; i++)
            add_source(turn, &told, moves[k][i].record_id);
    return told;
}
