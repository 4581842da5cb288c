/* commands.c - the table of subcommands: one line each, in the order --help shows them. */
#include "daemon/cli/cli.h"

#define COMMANDS(COMMAND)                                                                          \
    COMMAND(run)                                                                                   \
    COMMAND(check)                                                                                 \
    COMMAND(test)                                                                                  \
    COMMAND(score)                                                                                 \
    COMMAND(load)                                                                                  \
    COMMAND(dedupe)                                                                                \
    COMMAND(train)                                                                                 \
    COMMAND(explain)                                                                               \
    COMMAND(customer)                                                                              \
    COMMAND(review)                                                                                \
    COMMAND(decision)                                                                              \
    COMMAND(quality)                                                                               \
    COMMAND(rematch)                                                                               \
    COMMAND(rejects)                                                                               \
    COMMAND(events)                                                                                \
    COMMAND(sources)                                                                               \
    COMMAND(sinks)                                                                                 \
    COMMAND(status)                                                                                \
    COMMAND(init)                                                                                  \
    COMMAND(version)                                                                               \
    COMMAND(config_doc)                                                                            \
    COMMAND(man)

#define DECLARE(name) extern const struct cli_command cmd_##name;
#define REFER(name)   &cmd_##name,

COMMANDS(DECLARE)

const struct cli_command *const cli_commands[] = {COMMANDS(REFER) NULL};
