/* accept_room.c - limits.records, seen from the side of what comes in. See accept_tx.h. */
#include "daemon/accept/accept_tx.h"
#include "daemon/base/log.h"

size_t accept_room(struct intake *intake)
{
    known_lock(intake->known);
    size_t room = known_room(intake->known);
    known_unlock(intake->known);
    return room;
}

size_t accept_needs(struct intake *intake, const struct source *source, const struct delivery_batch *deliveries)
{
    size_t needs = 0, each = source->employers ? 2 : 1;
    known_lock(intake->known);
    for (size_t i = 0; i < deliveries->count; i++) {
        const struct delivery *delivery = &deliveries->deliveries[i];
        for (size_t j = 0; j < delivery->record_count && delivery->refusal == NULL; j++) {
            const struct raw_record *raw = &delivery->records[j];
            needs += known_is_new(intake->known, natural_key_of(slice_str(source->name), raw->external_id, raw->part))
                         ? each : 0;
        }
    }
    known_unlock(intake->known);
    return needs;
}

void accept_note_full(struct intake *intake, bool full)
{
    if (atomic_exchange(&intake->full, full) == full)
        return;
    if (full)
        log_error("accept.records_max", "limits.records is reached: records with new keys are not accepted any more (posts are "
                  "answered 503, other sources wait); hint: raise limits.records and start again");
    else
        log_info("accept.records_room", "there is room for records with new keys again");
}

enum status accept_no_room(struct err *err)
{
    return err_set(err, RETRY_LATER, "accept.records_max",
                   "limits.records is reached and there are new keys in it; hint: raise limits.records and start again");
}
