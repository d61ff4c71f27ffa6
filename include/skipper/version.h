/* version.h: the one place that says which version this is; CMakeLists.txt reads it. SPDX-License-Identifier: MIT */
#ifndef SKIPPER_VERSION_H
#define SKIPPER_VERSION_H

#define SKP_VERSION_MAJOR 0
#define SKP_VERSION_MINOR 1
#define SKP_VERSION_PATCH 0
#define SKP_VERSION       "0.1.0"

/* Of the objects that the program and the library print: another number means that entries were taken away or changed
 * their meaning; new ones may be added at any time. */
#define SKP_JSON_VERSION 2

#endif
