/*
 * form.h - posts of web forms: type `form`.
 *
 * A landing page posts to `path`; every way a browser, a script or a form service writes its body is understood
 * (form_body.h). People get a redirect or a small page back, scripts get JSON:
 *
 *   200 {"ok":true,"next":"https://..."}      422 {"ok":false,"errors":[{"field":"email","code":"email.syntax"}]}
 *
 * The record's key is the sender's idempotency key ("i:..."), else random ("r:..."), the same one for the same fields from
 * the same address within 10 minutes. What fills a honeypot is answered like a success and only counted.
 * Names starting with '_', captcha answers and the like steer us and are no values of the record. docs/forms.md is the
 * page for people who write forms.
 */
#ifndef TRIBUTARY_CONNECTORS_FORM_H
#define TRIBUTARY_CONNECTORS_FORM_H

#include "connectors/connector.h"

extern const struct push_connector form_connector;

#endif
