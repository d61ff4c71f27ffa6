/* backend.h: the contract between Skipper and a device, whole. Everything above it is device-free; no op asks which
 * backend it runs on. Two backends fulfil it: reference.c and opencl/. SPDX-License-Identifier: MIT
 *
 *   open ─> buffer_create ─> prepare (picks a method, says its workspace) ─> bind (fixes the buffers) ─> run … wait
 *
 * Calls of one backend come from one thread at a time. Work is done in the order in which it is queued. */
#ifndef SKP_BACKEND_BACKEND_H
#define SKP_BACKEND_BACKEND_H

#include "backend/devices.h"
#include "ops/op.h"
#include <stdatomic.h>
#include <stdio.h>

struct skp_backend;
struct skp_buffer;   /* a piece of device memory, or a slice of one */
struct skp_prepared; /* an op instance made ready on a backend: method chosen, kernels compiled, buffers bound */

/* Whoever opens a backend may have its methods checked before they first run. */
struct skp_backend_check {
  /* `method` was prepared for `sig`. SKP_OK: it may run; SKP_UNSUPPORTED: it does not run on this device, or computes
   * wrongly there, which sets *wrong, so the next in its table is tried. Other failures end the preparation. It may
   * prepare and run by itself. */
  skp_status (*ask)(bool *wrong, struct skp_backend_check *check, struct skp_backend *b, const struct skp_sig *sig,
                    const char *method);
  /* All that is going to run for now was asked about. */
  void (*settle)(struct skp_backend_check *check);
  void (*close)(struct skp_backend_check *check);
};

/* Whoever opens a backend may say which of its methods calls get. */
struct skp_backend_tuner {
  /* These are going to be prepared. It may prepare and run by itself. */
  skp_status (*ready)(struct skp_backend_tuner *tuner, struct skp_backend *b, const struct skp_sig *sigs, size_t n);
  /* NULL: the backend chooses. A method that cannot take the call, or computes wrongly, is passed over. */
  const char *(*method)(struct skp_backend_tuner *tuner, struct skp_backend *b, const struct skp_sig *sig);
  void (*close)(struct skp_backend_tuner *tuner);
};

struct skp_backend_options {
  const char *backend;  /* "opencl" or "reference"; NULL: opencl */
  const char *platform; /* index or part of the name; NULL: any */
  const char *device;   /* index as `skipper devices` lists it, or part of the name; NULL: the best */
  const char *method;   /* "OP=METHOD,…": forces methods; NULL: each table's choice */
  int threads;          /* 0: let the device decide */
  bool at_will;         /* a device that cannot be limited to so many threads takes as many as it wants */
  int64_t memory;       /* bytes to use at most; 0: all that there are */
  const char *cache;    /* folder that keeps compiled kernels; NULL: in the user's home (base/file.h); "": none */
  double timeout;       /* awake seconds after which a wait or a call into the driver counts as a hang; 0: 600 */
  /* Hears, in another thread, what call into a driver does not return. NULL: nobody does. */
  void (*hung)(void *user, const char *text);
  void *user;
  bool sync;    /* wait after each launch: tells which kernel fails or hangs */
  FILE *trace;  /* not NULL: say which method each op got and why others were refused */
  FILE *report; /* receives lines about what is wrong with the device and its driver; NULL: nowhere */
  struct skp_backend_check *check; /* taken over, also on failure; NULL: methods are trusted */
  struct skp_backend_tuner *tuner; /* taken over, also on failure; NULL: the backend chooses all methods */
};

struct skp_backend_info {
  char name[160];         /* the device's name, for people */
  char driver[256];       /* platform and driver version */
  char layers[256];       /* what stands before the driver by the user's will: OpenCL's layers; "": nothing */
  int64_t memory;         /* bytes on the device */
  int64_t max_allocation; /* bytes in one buffer */
  int64_t alignment;      /* bytes: where slices of a buffer may begin */
  int64_t used;           /* bytes allocated now */
  bool keeps_kernels;     /* compiled ones are stored for later processes */
  bool forced;            /* its options force methods */
  bool narrow_maps;       /* has methods for maps in bfloat16 */
  bool statistics;        /* it gains by convolutions that sum the statistics of what they write */
  int units;              /* compute units that are used */
  const char *cache;      /* the folder in which what is known of the device lasts; NULL: there is none */
};

/* What a device does at best, in a second; 0: it has no such thing. */
struct skp_backend_peaks {
  double fma;                /* operations in float, a multiply-add being two */
  double narrow;             /* the same of products of bfloat16 with sums in float */
  double read, write, triad; /* bytes of memory: of sums over it, of what fills it, of a = b + s · c */
  double launch;             /* seconds that one takes, of many */
};

typedef void (*skp__tell_launch)(void *user, size_t i, const char *launch, double seconds);

/* The slots of a backend. All are there. */
struct skp_backend_ops {
  const char *name;
  /* The devices that `open` may be given, and which of them is meant: see devices.h. */
  skp_status (*devices)(const struct skp_device_list **out);
  void (*describe)(struct skp_backend_info *out, const struct skp_device *d);
  skp_status (*choose)(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                       const double *seconds, const char *platform, const char *device);
  skp_status (*open)(struct skp_backend **out, const struct skp_backend_options *options);
  void (*close)(struct skp_backend *b);
  void (*info)(struct skp_backend *b, struct skp_backend_info *out);

  /* Fresh memory is zero. A slice shares its base's memory and must be destroyed before it. */
  skp_status (*buffer_create)(struct skp_backend *b, struct skp_buffer **out, int64_t bytes);
  skp_status (*buffer_slice)(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *base, int64_t offset,
                             int64_t bytes);
  void (*buffer_destroy)(struct skp_backend *b, struct skp_buffer *buffer);

  /* Queue a copy; `from`/`to` must stay valid until a ticket taken later has been waited for. */
  skp_status (*write)(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                      int64_t bytes);
  skp_status (*read)(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes);

  /* Says what will be prepared next, so that kernels can be compiled side by side. It
   * may take as long as that, and never fails. */
  void (*expect)(struct skp_backend *b, const struct skp_sig *sigs, size_t n);
  /* Chooses a method for `sig` (copied). `method` not NULL: that one, or SKP_UNSUPPORTED with its reason. */
  skp_status (*prepare)(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                        const char *method);
  int64_t (*workspace)(const struct skp_prepared *p); /* bytes needed between bind and the end of each run */
  int64_t (*kept)(const struct skp_prepared *p);      /* bytes that it allocates when it is bound, for what it keeps */
  const char *(*method)(const struct skp_prepared *p);
  size_t (*launches)(const struct skp_prepared *p); /* that each run queues, what is kept being there */
  /* Of a weight gradient whose last launch adds parts such as those of the op conv2d_dw_parts: how many. 0: of all
   * else. */
  int (*parts)(const struct skp_prepared *p);
  /* By how much results may miss exact ones because of the method, beyond what sums in float
   * cost, as a fraction of 1 + their largest magnitude: 0 for most. */
  double (*tolerance)(const struct skp_prepared *p);
  /* Fixes the buffers: as many as the op has inputs and outputs, NULL where absent. May be called again. */
  skp_status (*bind)(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                     struct skp_buffer *workspace);
  void (*prepared_destroy)(struct skp_prepared *p);

  /* Queues each of the list in turn. */
  skp_status (*run)(struct skp_backend *b, struct skp_prepared *const *list, size_t n);
  /* A ticket for all that has been queued so far; waiting for it waits for that. Tickets count up from 1. */
  skp_status (*ticket)(struct skp_backend *b, uint64_t *out);
  /* Runs each of the list in turn and waits; then tells how long each launch kept the device, in order. `i` is the op's
   * place in the list, `launch` a name (a literal). For measuring: it costs more than `run`. */
  skp_status (*time)(struct skp_backend *b, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                     void *user);
  /* From now on, or no longer, each launch and copy is told to the trace that is being recorded (base/trace.h). Waits
   * for all that was queued; it costs a little more than usual. */
  skp_status (*record)(struct skp_backend *b, bool on);
  /* Measures what the device does at best, in a second or two. SKP_UNSUPPORTED where that cannot be told. */
  skp_status (*measure)(struct skp_backend *b, struct skp_backend_peaks *out);
  /* Of a device that failed: waits until nothing that was queued touches the host's memory any more. */
  void (*drain)(struct skp_backend *b);
  /* Waits, sleeping rather than spinning; SKP_DEVICE when the device failed or did not finish within the time limit. */
  skp_status (*wait)(struct skp_backend *b, uint64_t ticket);

  /* The n-th method of an op's table (NULL past the end), and why it cannot take `sig` (NULL: it can). */
  const char *(*method_name)(const struct skp_backend *b, const struct skp_op *op, int n);
  const char *(*method_refusal)(struct skp_backend *b, const struct skp_sig *sig, int n);
  /* Whether it is meant for devices of this kind. */
  bool (*method_suits)(const struct skp_backend *b, const struct skp_op *op, int n);
  /* A number made of the kernels that `method` would launch for `sig`, of the programs that they are in and of their
   * groups: where it is the same for two signatures, the same code runs. Nothing is compiled. 0: the method refuses. */
  uint64_t (*kernels)(struct skp_backend *b, const struct skp_sig *sig, const char *method);
  /* Whether all kernels that `method` would launch are compiled. */
  bool (*compiled)(struct skp_backend *b, const struct skp_sig *sig, const char *method);
};

/* Each backend's own struct begins with this. */
struct skp_backend {
  const struct skp_backend_ops *ops;
  atomic_int hurry;                /* not 0: work is to come to an end, and a hang counts as one sooner */
  struct skp_backend_check *check; /* NULL: none */
  struct skp_backend_tuner *tuner; /* NULL: none */
};

extern const struct skp_backend_ops skp__backend_reference, skp__backend_opencl;

/* Opens the backend that the options name. */
skp_status skp__backend_open(struct skp_backend **out, const struct skp_backend_options *options);
void skp__backend_close(struct skp_backend *b); /* NULL is fine */
/* These are going to be prepared: methods are timed for them, if somebody wants that. */
skp_status skp__backend_ready(struct skp_backend *b, const struct skp_sig *sigs, size_t n);
/* All ops that are going to run for now are prepared. */
void skp__backend_settle(struct skp_backend *b);

/* Queue and wait: blocking copies for set-up, saving and tests. */
skp_status skp__backend_write_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                                  int64_t bytes);
skp_status skp__backend_read_now(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to,
                                 int64_t bytes);
/* Whatever its status: nothing that was queued touches the host's memory afterwards. */
skp_status skp__backend_finish(struct skp_backend *b);

#endif
