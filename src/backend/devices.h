/* devices.h: which devices there are, and which one is meant: a part of the contract of backend.h.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_DEVICES_H
#define SKP_BACKEND_DEVICES_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct skp_device {
  int platform, device; /* indices, by which they can be chosen */
  char platform_name[160], name[160], vendor[160], version[160], driver[160], c_version[80];
  char type[16]; /* "GPU", "CPU", "ACCELERATOR" */
  int units, clock_mhz;
  int64_t memory, max_allocation, local_memory;
  size_t max_group;
  bool fp16, fp64, subgroups, unified;
  char bus[24]; /* where it is plugged in: "0000:01:00.0"; "" if the driver does not say */
  bool usable;
  bool twin;         /* usable but for being listed already through another platform: only a named platform gets it */
  char skipped[240]; /* why it is not usable, else "" (no compiler, big-endian, same GPU as p:d, …) */
};

/* A GPU that is in the machine and that no driver lists. */
struct skp_gpu {
  char name[80];     /* "AMD GPU 1002:73bf at 0000:03:00.0" */
  char why[160];     /* part of a sentence: what it lacks */
  char remedy[240];  /* a command, or a variable to set */
  char package[120]; /* what that command installs, blank-separated; "" if nothing */
};

enum { SKP_MAX_DEVICES = 64, SKP_MAX_NOTES = 32, SKP_MAX_GPUS = 16 };

struct skp_device_list {
  size_t n, n_notes, n_gpus;
  struct skp_device at[SKP_MAX_DEVICES];
  char notes[SKP_MAX_NOTES][300]; /* skipped as a whole: "Driver x.icd crashed while listing its devices (SIGSEGV)." */
  struct skp_gpu gpus[SKP_MAX_GPUS];
};

/* The list, made once in a process and kept (never NULL on success; not to be freed). A driver that crashes or hangs
 * while it lists its devices gets a note. */
skp_status skp__devices_list(const struct skp_device_list **out);

/* What a backend that opens it says of its name, driver, layers and units; the rest is 0. */
struct skp_backend_info;
void skp__devices_describe(struct skp_backend_info *out, const struct skp_device *d);

/* The entry that `platform` and `device` (index or part of a name, case-insensitive; "P:D" for both indices; as a
 * device also "gpu", "cpu" or "accelerator": the best of its kind; NULL: any) choose among the usable ones. Without a
 * device: the best GPU of the platform, else a CPU, else an accelerator; but where `seconds` (NULL: of none) says of
 * all these what they take for the same, one that is clearly faster than that; below 0: that cannot be said, and the
 * device is chosen for its kind or not at all. meant[i] (NULL: nobody asks): whether
 * device i is one of those that it is chosen from. No match or several are errors that list the candidates; no device
 * at all tells what to install. */
skp_status skp__devices_choose(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                               const double *seconds, const char *platform, const char *device);

#endif
