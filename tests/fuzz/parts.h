/* parts.h: what several fuzzing targets share: bytes as a list of texts, and a folder for readers of files.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FUZZ_PARTS_H
#define SKP_TESTS_FUZZ_PARTS_H

#include "base/disk.h"
#include "base/host.h"
#include "base/scratch.h"
#include "fuzz.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 16 };

/* The texts that bytes are, with zeros between them. */
struct parts {
  char *memory;
  const char *text[PARTS]; /* NULL: there are fewer */
  int n;
};

static inline struct parts parts_of(const uint8_t *bytes, size_t size) {
  struct parts p = {.memory = malloc(size + 1)};
  if (!p.memory) abort();
  if (size) memcpy(p.memory, bytes, size);
  p.memory[size] = 0;
  for (char *at = p.memory; at <= p.memory + size && p.n < PARTS; at += strlen(at) + 1) p.text[p.n++] = at;
  return p;
}

/* One for the whole process, in memory where there is a file system for that. */
static inline const char *folder(void) {
  static const char *path;
  if (path) return path;
  if (skp__host_set(&(struct skp__host){.scratch = "/dev/shm"}) != SKP_OK) abort();
  if (skp__scratch_folder(&path) != SKP_OK) abort();
  return path;
}

/* A file of the folder with just these bytes; NULL: without it. */
static inline void folder_put(const char *name, const void *bytes, size_t size) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder(), name);
  if (!bytes) {
    unlink(path);
    return;
  }
  const int fd = skp__open(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
  close(fd);
}

#endif
