/* fuzz_tuned.c: whatever the file says of which methods are fastest (tuned/DEVICE.txt), each line that counts names one
 * of the op's methods, what is said of the others steers no terminal, and what is kept is read again. The first byte
 * says what the others are, see notes.h. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "notes.h"
#include "verify/tuned.h"

static struct note note;

static void check_line(const struct skp__tuned *t, const struct skp__tuned_line *line) {
  char op[48];
  if (sscanf(line->call, "%47s", op) != 1 || !skp__op_by_name(op) || strcmp(line->method, "reference") != 0) abort();
  if (!(line->ms > 0) || strpbrk(line->call, "\n\r\033")) abort();
  if (skp__tuned_method(t, line->call) != line->method) abort();
}

/* As a process reads it, and what it says. */
static void open_note(struct skp__tuned *t) {
  struct skp__memory said;
  *t = (struct skp__tuned){.path = NULL};
  if (!skp__memory_open(&said) || skp__tuned_open(t, b, said.to) != SKP_OK || !t->path) abort();
  if (!skp__memory_close(&said)) abort();
  for (const char *c = said.text; *c; c++)
    if ((*c < ' ' && *c > 0 && *c != '\n') || *c == 0x7f) abort();
  free(said.text);
  for (size_t i = 0; i < t->lines.n; i++) check_line(t, &t->lines.at[i]);
}

static void start(void) {
  struct skp__tuned t;
  note_open();
  open_note(&t);
  if (skp__tuned_add(&t, "relu 1×1×2×3 -> 1×1×2×3", "reference", 0.5) != SKP_OK) abort();
  skp__tuned_save(&t);
  skp__tuned_free(&t);
  note_look(&note, "tuned");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp__tuned t, again;
  if (!b) start();
  if (!size) return 0;
  note_put(&note, bytes, size);
  open_note(&t);
  skp__tuned_save(&t);
  open_note(&again);
  if (t.lines.n != again.lines.n) abort();
  for (size_t i = 0; i < t.lines.n; i++)
    if (strcmp(t.lines.at[i].call, again.lines.at[i].call) != 0) abort();
  skp__tuned_free(&t);
  skp__tuned_free(&again);
  return 0;
}
