/* replay.c: gives the files named (or all files of folders named) to a fuzzing target: a plain test of its corpus, and
 * a program for AFL. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "fuzz.h"
#include <dirent.h>
#include <stdlib.h>

static int replay_file(const char *path) {
  void *bytes;
  int64_t size;
  if (skp__file_read(&bytes, &size, path, 1 << 28) != SKP_OK) {
    fprintf(stderr, "%s\n", skp_error_message());
    return -1;
  }
  fprintf(stderr, "%s\n", path);
  LLVMFuzzerTestOneInput(bytes, (size_t)size);
  free(bytes);
  return 1;
}

/* The number of files replayed; -1: one could not be read. */
static int replay(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return replay_file(path);
  int files = 0;
  for (struct dirent *entry; files >= 0 && (entry = readdir(folder));) {
    char *inner;
    if (*entry->d_name == '.' || skp__path_join(&inner, path, entry->d_name) != SKP_OK) continue;
    int n = replay_file(inner);
    files = n < 0 ? n : files + n;
    free(inner);
  }
  closedir(folder);
  return files;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (replay(argv[i]) <= 0) return EXIT_FAILURE;
  return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
