/* main.c - Tributary. Everything starts in daemon/cli: `tributary run` is the daemon, the rest are its tools. */
#include "daemon/base/crash_point.h"
#include "daemon/cli/cli.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    crash_point_set(getenv("TRIBUTARY_CRASH_POINT")); /* for tests */
    return cli_main(argc, argv);
}
