/*
 * check.h - what no single option can say by itself. For daemon/config only.
 */
#ifndef TRIBUTARY_CONFIG_CHECK_H
#define TRIBUTARY_CONFIG_CHECK_H

#include "daemon/config/config.h"

/* Names, addresses, references between sections, the connectors' own checks. Adds problems. */
void config_check(const struct config *config, struct problems *problems);

#endif
