/* fuzz_verified.c: whatever the file says of the methods that were compared (verified/DEVICE.txt), a call is known or
 * compared, and the next process knows it. The first byte says what the others are: 0: the file; 1: its lines, to which
 * head and checksum are put; 2: where a byte of a sound file is changed (2 bytes, from its end), and by which bits (1):
 * then nothing of it is believed. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "parts.h"
#include "verify/admit.h"
#include <dirent.h>
#include <xxhash.h>

static struct skp_backend *b;
static struct skp_backend_ops ops;
static const struct skp_backend_ops *right;
static int compared;
static char name[150], head[1000]; /* of the file; its first two lines */
static char *sound;                /* the file */
static int64_t sound_bytes;

static skp_status run_counted(struct skp_backend *backend, struct skp_prepared *const *list, size_t n) {
  compared++;
  return right->run(backend, list, n);
}

static void info(struct skp_backend *backend, struct skp_backend_info *out) {
  right->info(backend, out);
  out->cache = folder();
}

/* Asks for a call as a process does, and remembers; how often it was compared. */
static int ask(void) {
  struct skp_backend_check *check;
  struct skp_sig sig;
  compared = 0;
  if (skp__admission_create(&check, NULL) != SKP_OK || skp__sig_create(&sig, &skp__op_relu, 1) != SKP_OK) abort();
  sig.in[0] = skp__shape4(1, 1, 2, 3);
  if (skp__op_infer(&sig) != SKP_OK || check->ask(check, b, &sig, "reference") != SKP_OK) abort();
  skp__sig_free(&sig);
  check->close(check);
  return compared;
}

/* The file as the first call leaves it. */
static void look(void) {
  char path[128];
  snprintf(path, sizeof path, "%s/verified", folder());
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (*e->d_name != '.') snprintf(name, sizeof name, "verified/%.100s", e->d_name);
  if (!dir || closedir(dir) || !*name) abort();
  char whole[512];
  snprintf(whole, sizeof whole, "%s/%s", folder(), name);
  if (skp__file_read((void **)&sound, &sound_bytes, whole, 1 << 20) != SKP_OK) abort();
  const char *second = strchr(sound, '\n') + 1;
  snprintf(head, sizeof head, "%.*s", (int)(strchr(second, '\n') + 1 - sound), sound);
}

static void start(void) {
  if (skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}) != SKP_OK) abort();
  right = b->ops;
  ops = *right;
  ops.run = run_counted;
  ops.info = info;
  b->ops = &ops;
  if (ask() != 1) abort();
  look();
}

/* Lines between head and checksum. */
static void put_lines(const uint8_t *lines, size_t size) {
  const size_t n = strlen(head) + size;
  char *text = malloc(n + 40);
  if (!text) abort();
  memcpy(text, head, strlen(head));
  if (size) memcpy(text + strlen(head), lines, size);
  const int tail = snprintf(text + n, 40, "checksum %016llx\n", (unsigned long long)XXH3_64bits_withSeed(text, n, 0));
  folder_put(name, text, n + (size_t)tail);
  free(text);
}

/* Whether a byte is another now. */
static bool put_damaged(const uint8_t *how) {
  const int64_t at = sound_bytes - 1 - (how[0] << 8 | how[1]) % sound_bytes;
  sound[at] ^= (char)how[2];
  folder_put(name, sound, (size_t)sound_bytes);
  sound[at] ^= (char)how[2];
  return how[2];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (!b) start();
  if (!size) return 0;
  bool damaged = false;
  if (*bytes == 0) folder_put(name, bytes + 1, size - 1);
  if (*bytes == 1) put_lines(bytes + 1, size - 1);
  if (*bytes == 2 && size >= 4) damaged = put_damaged(bytes + 1);
  const int first = ask();
  if (first > 1 || (damaged && !first) || ask() != 0) abort();
  return 0;
}
