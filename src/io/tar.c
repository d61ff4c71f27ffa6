/* tar.c: files in tar archives. SPDX-License-Identifier: MIT */
#include "io/tar.h"
#include "base/array.h"
#include "base/disk.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

struct skp__tar {
  struct archive *archive;
  char *path;
  int64_t bytes; /* of the whole file */
  int64_t begin; /* where reading began in it */
  int fd;
};

static skp_status fail(const struct skp__tar *t, const char *what) {
  const char *why = archive_error_string(t->archive);
  return skp__fail(SKP_FORMAT, "%s: %s%s%s.", t->path, what, why ? ": " : "", why ? why : "");
}

static skp_status begin(struct skp__tar *t, int64_t position) {
  struct stat st;
  t->fd = skp__open(t->path, O_RDONLY);
  if (t->fd < 0 || fstat(t->fd, &st) != 0 || lseek(t->fd, (off_t)position, SEEK_SET) < 0)
    return skp__fail(SKP_IO, "%s cannot be read: %s.", t->path, strerror(errno));
  t->bytes = (int64_t)st.st_size;
  t->begin = position;
  t->archive = archive_read_new();
  if (!t->archive) return skp__fail(SKP_MEMORY, "Not enough memory to read %s.", t->path);
  archive_read_support_format_tar(t->archive);
  if (archive_read_open_fd(t->archive, t->fd, BLOCK) == ARCHIVE_OK) return SKP_OK;
  return fail(t, "it is no tar archive, or a compressed one, which has to be decompressed first");
}

static skp_status open_at(struct skp__tar **out, const char *path, int64_t position) {
  struct skp__tar *t;
  *out = NULL;
  SKP_TRY(skp__alloc(&t, 1, sizeof *t));
  t->fd = -1;
  skp_status status = skp__strdup(&t->path, path);
  if (status == SKP_OK) status = begin(t, position);
  if (status == SKP_OK)
    *out = t;
  else
    skp__tar_close(t);
  return status;
}

skp_status skp__tar_open(struct skp__tar **out, const char *path) { return open_at(out, path, 0); }

void skp__tar_close(struct skp__tar *t) {
  if (!t) return;
  archive_read_free(t->archive);
  if (t->fd >= 0) close(t->fd);
  free(t->path);
  free(t);
}

/* Names that are UTF-8 by the archive's own word have no form in the C locale. */
static const char *name_of(struct archive_entry *entry) {
  const char *name = archive_entry_pathname(entry);
  return name ? name : archive_entry_pathname_utf8(entry);
}

static bool is_link(struct archive_entry *entry) {
  return archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK;
}

static skp_status describe(const struct skp__tar *t, struct archive_entry *entry, struct skp__tar_file *out) {
  *out = (struct skp__tar_file){.name = name_of(entry),
                                .position = t->begin + archive_read_header_position(t->archive),
                                .size = archive_entry_size(entry),
                                .link = is_link(entry)};
  if (!out->name) return skp__fail(SKP_FORMAT, "%s: a file in it has no name.", t->path);
  const int64_t content = t->begin + (int64_t)archive_filter_bytes(t->archive, 0);
  if (out->link) return SKP_OK;
  if (out->size < 0 || out->size > t->bytes - content)
    return skp__fail(SKP_FORMAT, "%s is cut off, or damaged: it ends within %s.", t->path, out->name);
  return SKP_OK;
}

skp_status skp__tar_next(struct skp__tar *t, struct skp__tar_file *out) {
  struct archive_entry *entry;
  int got;
  *out = (struct skp__tar_file){.name = NULL};
  do {
    got = archive_read_next_header(t->archive, &entry);
    if (got == ARCHIVE_EOF) return SKP_OK;
    if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return fail(t, "it is damaged, or no tar archive");
  } while (archive_entry_filetype(entry) != AE_IFREG && !is_link(entry));
  return describe(t, entry, out);
}

skp_status skp__tar_head(struct skp__tar *t, void *out, int64_t room, int64_t *size) {
  la_ssize_t n = 1;
  for (*size = 0; *size < room && n > 0; *size += n) {
    n = archive_read_data(t->archive, (char *)out + *size, (size_t)(room - *size));
    if (n < 0) return fail(t, "it is damaged");
  }
  return SKP_OK;
}

static skp_status read_next(struct skp__tar *t, void **out, int64_t *size, int64_t *whole, int64_t room) {
  struct skp__tar_file f;
  char *bytes;
  SKP_TRY(skp__tar_next(t, &f));
  if (!f.name || f.link)
    return skp__fail(SKP_FORMAT, "%s has changed: there is no file any more where one was.", t->path);
  const int64_t wanted = f.size < room ? f.size : room;
  *whole = f.size;
  SKP_TRY(skp__alloc(&bytes, (size_t)wanted + 1, 1));
  skp_status status = skp__tar_head(t, bytes, wanted, size);
  if (status == SKP_OK && *size < wanted)
    status = skp__fail(SKP_FORMAT, "%s: %s ends early: it is a sparse file, or damaged.", t->path, f.name);
  if (status == SKP_OK)
    *out = bytes;
  else
    free(bytes);
  return status;
}

skp_status skp__tar_read(void **out, int64_t *size, int64_t *whole, const char *path, int64_t position, int64_t room) {
  struct skp__tar *t;
  *out = NULL;
  SKP_TRY(open_at(&t, path, position));
  skp_status status = read_next(t, out, size, whole, room);
  skp__tar_close(t);
  return status;
}
