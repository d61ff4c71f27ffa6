/* cache.c: compiled programs on disk, in CACHE/kernels/KEY.bin. The key is a hash of device, driver, Skipper, source
 * and options. An entry that is damaged, cut or somebody else's is as good as none; whatever goes wrong here only costs
 * time, so nothing is reported. Writers rename whole files into place, so processes may share the folder.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/cache.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/prune.h"
#include "base/random.h"
#include "base/scratch.h"
#include "skipper/version.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRY_LIMIT = 64 << 20 }; /* bytes; larger programs are not kept */
static const int64_t FOLDER_LIMIT = 256 << 20;

static const char MAGIC[8] = "SKPCLB1";

struct hash {
  uint64_t word[2];
};

struct header {
  char magic[8];
  struct hash key, sum; /* sum: of the payload */
  uint64_t bytes;
};

struct skp__cl_cache {
  char *base, *folder; /* CACHE, CACHE/kernels */
  bool lasts;          /* the folder outlives the process */
  struct hash device;  /* of what all keys share */
};

/* ---- hashing ---------------------------------------------------------------------------------------------------- */

/* Two lanes of chained SplitMix, a word at a time; the length closes each piece, so that "ab" "c" is not "a" "bc". */
static struct hash hash_add(struct hash h, const void *data, size_t n) {
  const char *bytes = data;
  for (size_t at = 0; at < n + 8; at += 8) {
    uint64_t word = n; /* the last one */
    if (at < n) {
      word = 0;
      memcpy(&word, bytes + at, n - at < 8 ? n - at : 8);
    }
    for (int lane = 0; lane < 2; lane++) h.word[lane] = skp__random_bits(h.word[lane], word, (uint64_t)lane);
  }
  return h;
}

static struct hash hash_text(struct hash h, const char *text) { return hash_add(h, text, strlen(text)); }

static bool hash_equal(struct hash a, struct hash b) { return a.word[0] == b.word[0] && a.word[1] == b.word[1]; }

static struct hash hash_program(const struct skp__cl_cache *c, const char *text, const char *options) {
  return hash_text(hash_text(c->device, options), text);
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

/* The folder that was said, or the user's; where none is wanted or can be written, one for this process alone, through
 * which its compilers hand programs over. */
static skp_status base_folder(char **out, bool *lasts, const char *said) {
  const char *scratch;
  *lasts = !(said && !*said) && skp__cache_folder(out, said) == SKP_OK;
  if (*lasts) return SKP_OK;
  SKP_TRY(skp__scratch_folder(&scratch));
  return skp__strdup(out, scratch);
}

void skp__cl_cache_open(struct skp__cl *cl, const char *said) {
  char *base = NULL, *folder = NULL;
  struct skp__cl_cache *c = NULL;
  bool lasts;
  bool ready = base_folder(&base, &lasts, said) == SKP_OK && skp__path_join(&folder, base, "kernels") == SKP_OK &&
               skp__folder_create(folder) == SKP_OK && skp__alloc(&c, 1, sizeof *c) == SKP_OK;
  if (!ready) {
    free(base);
    free(folder);
    return;
  }
  c->base = base;
  c->folder = folder;
  c->lasts = lasts;
  c->device = hash_text(hash_text(hash_text(hash_text(c->device, cl->name), cl->platform), cl->driver), SKP_VERSION);
  cl->cache = c;
}

bool skp__cl_cache_lasts(const struct skp__cl *cl) { return cl->cache && cl->cache->lasts; }

const char *skp__cl_cache_folder(const struct skp__cl *cl) { return skp__cl_cache_lasts(cl) ? cl->cache->base : NULL; }

void skp__cl_cache_close(struct skp__cl *cl) {
  struct skp__cl_cache *c = cl->cache;
  if (!c) return;
  skp__folder_prune(c->folder, FOLDER_LIMIT);
  free(c->base);
  free(c->folder);
  free(c);
  cl->cache = NULL;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static skp_status entry_path(char **out, const struct skp__cl_cache *c, struct hash key) {
  return skp__format(out, "%s/%016llx%016llx.bin", c->folder, (unsigned long long)key.word[0],
                     (unsigned long long)key.word[1]);
}

/* The payload if the file is whole and ours. */
static const unsigned char *entry_payload(const void *file, int64_t size, struct hash key, size_t *bytes) {
  struct header h;
  if (size < (int64_t)sizeof h) return NULL;
  memcpy(&h, file, sizeof h);
  const unsigned char *payload = (const unsigned char *)file + sizeof h;
  if (memcmp(h.magic, MAGIC, sizeof MAGIC) || !hash_equal(h.key, key) || h.bytes != (uint64_t)size - sizeof h ||
      !h.bytes || !hash_equal(hash_add((struct hash){0}, payload, h.bytes), h.sum))
    return NULL;
  *bytes = h.bytes;
  return payload;
}

static cl_program program_from(struct skp__cl *cl, const unsigned char *binary, size_t bytes, const char *options) {
  cl_int code, state = CL_SUCCESS;
  cl_program program;
  SKP_CALL(cl, "clCreateProgramWithBinary", "",
           (program = clCreateProgramWithBinary(cl->context, 1, &cl->device, &bytes, &binary, &state, &code), code));
  if (code == CL_SUCCESS && state == CL_SUCCESS &&
      SKP_CALL(cl, "clBuildProgram", "of a binary", clBuildProgram(program, 1, &cl->device, options, NULL, NULL)) ==
          CL_SUCCESS)
    return program;
  if (code == CL_SUCCESS) SKP_CALL(cl, "clReleaseProgram", "", clReleaseProgram(program));
  return NULL;
}

bool skp__cl_cache_has(struct skp__cl *cl, const char *text, const char *options) {
  char *path;
  if (!cl->cache || entry_path(&path, cl->cache, hash_program(cl->cache, text, options)) != SKP_OK) return false;
  bool there = !access(path, R_OK);
  free(path);
  return there;
}

cl_program skp__cl_cache_load(struct skp__cl *cl, const char *text, const char *options) {
  if (!cl->cache) return NULL;
  struct hash key = hash_program(cl->cache, text, options);
  char *path;
  void *file = NULL;
  int64_t size = 0;
  size_t bytes = 0;
  cl_program program = NULL;
  if (entry_path(&path, cl->cache, key) != SKP_OK) return NULL;
  if (skp__file_read(&file, &size, path, ENTRY_LIMIT) == SKP_OK) {
    const unsigned char *payload = entry_payload(file, size, key, &bytes);
    if (payload) program = program_from(cl, payload, bytes, options);
    if (program) skp__touch(path); /* used just now */
  }
  free(file);
  free(path);
  return program;
}

/* NULL with no bytes: the driver gives no binary, or one that is too large to be kept. */
static skp_status get_binary(struct skp__cl *cl, cl_program program, unsigned char **binary, size_t *bytes) {
  *binary = NULL;
  const cl_int code = SKP_CALL(cl, "clGetProgramInfo", "", /* here PoCL compiles */
                               clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof *bytes, bytes, NULL));
  if (code != CL_SUCCESS || *bytes > ENTRY_LIMIT - sizeof(struct header)) *bytes = 0;
  if (!*bytes) return SKP_OK;
  SKP_TRY(skp__alloc(binary, *bytes, 1));
  return SKP_CHECK(cl, "clGetProgramInfo", "",
                   clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof *binary, binary, NULL));
}

/* An entry without a binary says that this program does a compiler no harm. What a crash leaves of one is caught by the
 * checksum, and fifty kernels would wait for fifty flushes. */
void skp__cl_cache_store(struct skp__cl *cl, cl_program program, const char *text, const char *options) {
  struct header h = {.key = {{0}}};
  size_t bytes = 0;
  unsigned char *binary;
  char *path = NULL;
  if (!cl->cache) return;
  memcpy(h.magic, MAGIC, sizeof MAGIC);
  h.key = hash_program(cl->cache, text, options);
  if (get_binary(cl, program, &binary, &bytes) == SKP_OK && entry_path(&path, cl->cache, h.key) == SKP_OK) {
    h.bytes = bytes;
    h.sum = hash_add((struct hash){0}, binary, bytes);
    const struct skp__file_part parts[] = {{&h, sizeof h}, {binary, (int64_t)bytes}};
    (void)skp__file_write_quick(path, parts, 2);
  }
  free(path);
  free(binary);
}
