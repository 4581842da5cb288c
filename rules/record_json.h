/*
 * record_json.h - a clean record as one line of JSON, and back.
 *
 *   {"kind":"person","v":[["email",0,"a@b.cn"],["phone",1,"+86138****1234","138****1234"]],
 *    "x":[["订单备注","送货上门"]]}
 *
 * "v" holds [field name, flags (enum value_flag), value, original when it differs], "x" the extras.
 * "outcome" ("reject" ...) and "i", the issues as [severity, code, field name or "", param], stand
 * only where there is something to say. Reading takes any order of keys and any white space (jsonb
 * keeps neither), refuses everything else that is not of this shape, and keeps a field the schema
 * no longer has as an extra. Pure; fuzzed.
 */
#ifndef TRIBUTARY_RULES_RECORD_JSON_H
#define TRIBUTARY_RULES_RECORD_JSON_H

#include "daemon/base/buf.h"
#include "rules/record.h"

/* A record never has more JSON than this many bytes when its raw delivery was within its own limit.
 */
#define RECORD_JSON_MAX_BYTES ((size_t)16 << 20)

/* Appends to `out`. */
void clean_record_to_json(const struct schema *schema, const struct clean_record *clean,
                          struct buf *out);

/* Reads back into `arena` (nothing points into `json` afterwards). False when the text is not of
 * the shape above or the arena is full; *clean is then not to be used. */
bool clean_record_from_json(const struct schema *schema, struct slice json, struct arena *arena,
                            struct clean_record *clean);

#endif
