/* notes.h: what the targets share that read what is remembered of a device: a reference backend whose cache is a folder
 * of ours, and the file that lies there. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FUZZ_NOTES_H
#define SKP_TESTS_FUZZ_NOTES_H

#include "backend/backend.h"
#include "base/file.h"
#include "parts.h"
#include <dirent.h>

static struct skp_backend *b; /* its functions are `ops`, which a target may change */
static struct skp_backend_ops ops;
static const struct skp_backend_ops *right;

static void note_info(struct skp_backend *backend, struct skp_backend_info *out) {
  right->info(backend, out);
  out->cache = folder();
}

static void note_open(void) {
  if (skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}) != SKP_OK) abort();
  right = b->ops;
  ops = *right;
  ops.info = note_info;
  b->ops = &ops;
}

/* A file as the program has written it. */
struct note {
  char name[150];  /* in the folder */
  char head[1000]; /* its first two lines: what it is, and of which device */
  char *text;
  int64_t size;
};

/* The one in the folder of that kind. */
static void note_look(struct note *n, const char *kind) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder(), kind);
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (*e->d_name != '.') snprintf(n->name, sizeof n->name, "%s/%.100s", kind, e->d_name);
  if (!dir || closedir(dir) || !*n->name) abort();
  snprintf(path, sizeof path, "%s/%s", folder(), n->name);
  if (skp__file_read((void **)&n->text, &n->size, path, 1 << 20) != SKP_OK) abort();
  const char *second = strchr(n->text, '\n') + 1;
  snprintf(n->head, sizeof n->head, "%.*s", (int)(strchr(second, '\n') + 1 - n->text), n->text);
}

/* The head, then these bytes, then `tail` bytes of room; the size without them. free() it. */
static size_t note_lines(char **out, const struct note *n, const uint8_t *lines, size_t size, size_t tail) {
  const size_t head = strlen(n->head);
  *out = malloc(head + size + tail + 1);
  if (!*out) abort();
  memcpy(*out, n->head, head);
  if (size) memcpy(*out + head, lines, size);
  return head + size;
}

/* Makes bytes the file: the first of them says what the others are. 0: all of it; 1: what follows the head. */
static inline void note_put(const struct note *n, const uint8_t *bytes, size_t size) {
  char *text;
  if (*bytes == 0) folder_put(n->name, bytes + 1, size - 1);
  if (*bytes != 1) return;
  const size_t all = note_lines(&text, n, bytes + 1, size - 1, 0);
  folder_put(n->name, text, all);
  free(text);
}

#endif
