/* memory.c: a layer before malloc, calloc and realloc: the FAULT_AT-th call fails of those that the program makes, and
 * the libraries that it is linked with. Those for OpenCL are left alone, as drivers are not ours; so is hwloc, which
 * MPI brings along and PoCL does not get on without; and those with FAULT_SPARE in their names.
 * SPDX-License-Identifier: MIT */
#include "layer.h"
#include <link.h>
#include <stdint.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

enum { ROOM = 64 };
static struct range { uintptr_t from, to; } ours[ROOM];
static int ranges;

static int note(struct dl_phdr_info *library, size_t size, void *user) {
  static const char *const others[] = {"libOpenCL", "libclblast", "libhwloc", "libstdc++", "ld-linux", "liblayer_"};
  const char *spare = getenv("FAULT_SPARE");
  (void)size, (void)user;
  if (spare && strstr(library->dlpi_name, spare)) return 0;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strstr(library->dlpi_name, others[i])) return 0;
  for (int i = 0; i < library->dlpi_phnum && ranges < ROOM; i++) {
    const ElfW(Phdr) *part = &library->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    ours[ranges].from = library->dlpi_addr + part->p_vaddr;
    ours[ranges].to = ours[ranges].from + part->p_memsz;
    ranges++;
  }
  return 0;
}

__attribute__((constructor)) static void begin(void) { dl_iterate_phdr(note, NULL); }

static bool fails(const void *caller) {
  bool counts = false;
  for (int i = 0; i < ranges && !counts; i++)
    counts = (uintptr_t)caller >= ours[i].from && (uintptr_t)caller < ours[i].to;
  if (!counts || !layer_hit()) return false;
  errno = ENOMEM;
  return true;
}

LAYER_EXPORT void *malloc(size_t bytes) { return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(bytes); }
LAYER_EXPORT void *calloc(size_t n, size_t bytes) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, bytes);
}
LAYER_EXPORT void *realloc(void *old, size_t bytes) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, bytes);
}
