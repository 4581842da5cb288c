/* main.c - Tributary. Everything starts in daemon/cli: `tributary run` is the daemon, the rest are its tools. */
#include "daemon/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
