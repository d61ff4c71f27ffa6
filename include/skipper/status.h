/* status.h: error values, and printing what strangers wrote. Every fallible function of Skipper returns a skp_status; a
 * text that says what failed, where and what to do is kept per thread and read with skp_error_message().
 * SPDX-License-Identifier: MIT */
#ifndef SKIPPER_STATUS_H
#define SKIPPER_STATUS_H

#include <stdio.h>

/* What the library shows; all else in it is hidden. */
#if defined(__GNUC__)
#define SKP_API                     __attribute__((visibility("default")))
#define SKP_PRINTF(text, arguments) __attribute__((format(printf, text, arguments)))
#else
#define SKP_API
#define SKP_PRINTF(text, arguments)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, short text): the one list of error kinds. */
#define SKP_STATUS_LIST(X)                                                                                             \
  X(OK, "done")                                                                                                        \
  X(USAGE, "wrong usage")                                                                                              \
  X(IO, "input or output failed")                                                                                      \
  X(FORMAT, "malformed data")                                                                                          \
  X(SHAPE, "shapes do not fit")                                                                                        \
  X(MODEL, "error in the model file")                                                                                  \
  X(MEMORY, "out of host memory")                                                                                      \
  X(NO_DEVICE, "no usable device")                                                                                     \
  X(DEVICE, "the device failed")                                                                                       \
  X(DEVICE_MEMORY, "out of device memory")                                                                             \
  X(BUILD, "a kernel did not compile")                                                                                 \
  X(UNSUPPORTED, "not supported")                                                                                      \
  X(NUMERIC, "the loss left the finite numbers")                                                                       \
  X(INTERRUPTED, "interrupted")                                                                                        \
  X(INTERNAL, "internal error")                                                                                        \
  X(DISK_FULL, "the disk is full")

typedef enum skp_status {
#define X(name, text) SKP_##name,
  SKP_STATUS_LIST(X)
#undef X
} skp_status;

/* The name ("IO") and the short text of a status. Never NULL. */
SKP_API const char *skp_status_name(skp_status status);
SKP_API const char *skp_status_text(skp_status status);

/* The text of this thread's latest error: what, where, what to do. Valid until the thread's next error. It may have
 * several lines; nothing in it steers a terminal. */
SKP_API const char *skp_error_message(void);

/* fprintf for names that come from files, folders and checkpoints: bytes in the arguments that are no UTF-8, break a
 * line or steer a terminal are shown as \xHH. Line ends of the format stay. */
SKP_API void skp_print(FILE *to, const char *format, ...) SKP_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
