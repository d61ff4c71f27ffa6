/* fuzz_verified.c: whatever the file says of the methods that were compared (verified/DEVICE.txt), a call is known or
 * compared, and the next process knows it. The first byte says what the others are: 0: the file; 1: its lines, to which
 * head and checksum are put; 2: where a byte of a sound file is changed (2 bytes, from its end), and by which bits (1):
 * then nothing of it is believed. SPDX-License-Identifier: MIT */
#include "notes.h"
#include "verify/admit.h"
#include <xxhash.h>

static struct note note;
static int compared;

static skp_status run_counted(struct skp_backend *backend, struct skp_prepared *const *list, size_t n) {
  compared++;
  return right->run(backend, list, n);
}

/* Asks for a call as a process does, and remembers; how often it was compared. */
static int ask(void) {
  struct skp_backend_check *check;
  struct skp_sig sig;
  bool wrong = false;
  compared = 0;
  if (skp__admission_create(&check, NULL) != SKP_OK || skp__sig_create(&sig, &skp__op_relu, 1) != SKP_OK) abort();
  sig.in[0] = skp__shape4(1, 1, 2, 3);
  if (skp__op_infer(&sig) != SKP_OK || check->ask(&wrong, check, b, &sig, "reference") != SKP_OK) abort();
  skp__sig_free(&sig);
  check->close(check);
  return compared;
}

static void start(void) {
  note_open();
  ops.run = run_counted;
  if (ask() != 1) abort();
  note_look(&note, "verified");
}

/* Lines between head and checksum. */
static void put_lines(const uint8_t *lines, size_t size) {
  char *text;
  const size_t n = note_lines(&text, &note, lines, size, 40);
  const int tail = snprintf(text + n, 40, "checksum %016llx\n", (unsigned long long)XXH3_64bits_withSeed(text, n, 0));
  folder_put(note.name, text, n + (size_t)tail);
  free(text);
}

/* Whether a byte is another now. */
static bool put_damaged(const uint8_t *how) {
  char *byte = &note.text[note.size - 1 - (how[0] << 8 | how[1]) % note.size];
  *byte ^= (char)how[2];
  folder_put(note.name, note.text, (size_t)note.size);
  *byte ^= (char)how[2];
  return how[2];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (!b) start();
  if (!size) return 0;
  bool damaged = false;
  if (*bytes == 0) folder_put(note.name, bytes + 1, size - 1);
  if (*bytes == 1) put_lines(bytes + 1, size - 1);
  if (*bytes == 2 && size >= 4) damaged = put_damaged(bytes + 1);
  const int first = ask();
  if (first > 1 || (damaged && !first) || ask() != 0) abort();
  return 0;
}
