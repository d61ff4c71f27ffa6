/* status.h: error values. Every fallible function of Skipper returns a skp_status; a text that says what failed,
 * where and what to do is kept per thread and read with skp_error_message(). SPDX-License-Identifier: MIT */
#ifndef SKIPPER_STATUS_H
#define SKIPPER_STATUS_H

/* What the library shows; all else in it is hidden. */
#if defined(__GNUC__)
#define SKP_API __attribute__((visibility("default")))
#else
#define SKP_API
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
  X(INTERNAL, "internal error")

typedef enum skp_status {
#define X(name, text) SKP_##name,
  SKP_STATUS_LIST(X)
#undef X
} skp_status;

/* The name ("IO") and the short text of a status. Never NULL. */
SKP_API const char *skp_status_name(skp_status status);
SKP_API const char *skp_status_text(skp_status status);

/* The text of this thread's latest error: what, where, what to do. Valid until the thread's next error. */
SKP_API const char *skp_error_message(void);

#ifdef __cplusplus
}
#endif
#endif
