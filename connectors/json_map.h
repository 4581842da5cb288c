/*
 * json_map.h - one JSON document into records, as YAML says.
 *
 *     records:
 *       - part: billing               # default: main
 *         id: order/{id}              # a path, or a template with paths in braces
 *         time: date_modified_gmt     # effective time
 *         time_zone: UTC              # of times without a zone; default: the source's
 *         when: billing               # the record is there only if this holds (json_path.h,
 * conditions) deleted: status=trash       # the source says the record is gone test: is_test
 *         columns: {given_name: billing.first_name, phone: [billing.phone, shipping.phone]}
 *         pairs: {list: "answers[*]", name: question, value: answer}  # columns named by the
 * document activities:
 *           - {type: order, key: "order/{id}", at: date_created_gmt, when: status!=draft, data:
 * {total: total}} consents:
 *           - {purpose: marketing, granted: accepts_marketing, text: ..., version: ..., at: ...}
 *
 * Compiled once; pure and immutable after that. Refusals of a document: "json.not_an_object",
 * "json.no_id" (param: the part), "json.nul", "json.bad_string" (param: the column),
 * "json.too_many_columns". A record whose `when` does not hold is left out; when every record is,
 * the delivery has the refusal "json.no_record".
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_MAP_H
#define TRIBUTARY_CONNECTORS_JSON_MAP_H

#include "connectors/connector.h"
#include "daemon/base/yaml.h"

struct json_map;

/* From the list under `records:`. NULL when problems were added (node NULL included) or memory ran
 * out. */
struct json_map *json_map_new(const struct yaml_node *records, struct arena *arena,
                              struct problems *problems);

/* How times without a zone are read. */
struct json_map_context {
    const char *country;
    const char *time_zone;
    bool day_first;
};

/* Fills records, record_count, refusal and refusal_param of *delivery from its body (one checked
 * JSON value); memory is the arena's, and slices of the body. */
void json_map_apply(const struct json_map *map, const struct json_map_context *context,
                    struct arena *arena, struct delivery *delivery);

#endif
