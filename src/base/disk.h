/* disk.h: what systems do each in their own way with files and folders: posix/disk.c, windows/disk.c. Calls that return
 * an int return as those of POSIX do, -1 with errno where they fail. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_DISK_H
#define SKP_BASE_DISK_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a file or a folder without opening it; of a link, of what it leads to. */
enum skp__there { SKP_NOTHING, SKP_FILE, SKP_FOLDER, SKP_ELSE };
struct skp__facts {
  enum skp__there kind;
  int64_t bytes, time;     /* when it was written last, in ns since 1970 */
  uint64_t device, number; /* no other one on this machine has both */
};
/* False, with errno and SKP_NOTHING: there is none. */
bool skp__facts(struct skp__facts *out, const char *path);
/* The same of an open folder, which `path` led to. */
bool skp__facts_open(struct skp__facts *out, DIR *dir, const char *path);
/* What an entry of the open folder at `path` is; asks no disk where the folder says so itself. */
enum skp__there skp__entry_kind(DIR *dir, const char *path, const struct dirent *entry);
/* It counts as written now. */
void skp__touch(const char *path);
/* What a link says, cut to `size` and without a zero; its length, -1: it is no link. */
int skp__link_text(char *out, size_t size, const char *path);

/* open() of files whose bytes stay as they are, and which no child inherits. */
int skp__open(const char *path, int flags);
/* The same to read, of anything: a pipe without a writer does not block. */
int skp__open_any(const char *path);
/* Reads n bytes at most from a place on. */
int64_t skp__read_at(int file, void *out, size_t n, int64_t at);
/* What is written lies on the disk when it returns. */
int skp__sync(int file);
/* Makes a rename last: the folder's own entry should reach the disk too. The file is whole and in its place
 * whether that works or not (a folder may be writable and not readable, a file system unable): it fails silently. */
void skp__sync_folder(const char *folder);
/* In the place of a file that is there already, too. */
int skp__rename(const char *from, const char *to);
int skp__make_folder(const char *path);
/* An errno, 0: a new file at `path` could take so many bytes. It is there no more when this returns. */
int skp__try_room(const char *path, int64_t bytes);
/* Whether an errno says that the disk, or the share of it that this user has, is full. */
bool skp__disk_full(int error);

/* What something else reads or has open already: a device, a pipe, /dev/stdout. No file may take its place. */
bool skp__is_stream(const char *path);
/* To write to; a pipe that nobody reads is an error, and does not block. */
int skp__open_stream(const char *path);

/* Whether a path begins where the file system does. */
bool skp__path_whole(const char *path);
/* Whether code may be loaded from files in a folder. */
bool skp__folder_runs_code(const char *folder);

#endif
