/*
 * version.h - the version of the program.
 */
#ifndef TRIBUTARY_BASE_VERSION_H
#define TRIBUTARY_BASE_VERSION_H

#define TRIBUTARY_VERSION "0.1.0"

#endif
