/* form_body_intern.h - what the readers of form bodies share. For form_*.c only. */
#ifndef TRIBUTARY_CONNECTORS_FORM_BODY_INTERN_H
#define TRIBUTARY_CONNECTORS_FORM_BODY_INTERN_H

#include "connectors/form_body.h"

/* Adds a value, joined to what the name has already. False: too many names, or the arena is full. */
bool form_add(struct form_body *form, struct arena *arena, struct slice name, struct slice value,
              bool is_file);
const char *form_parse_urlencoded(struct slice body, struct arena *arena, struct form_body *form);
const char *form_parse_multipart(struct slice content_type, struct slice body, struct arena *arena,
                                 struct form_body *form);
const char *form_parse_json(struct slice body, struct arena *arena, struct form_body *form);

#endif
