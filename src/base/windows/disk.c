/* disk.c: see disk.h. SPDX-License-Identifier: MIT */
#include "base/disk.h"
#include "base/windows/windows.h"
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------------------------------------------------ */

int skp__windows_failed(void) {
  static const struct {
    DWORD code;
    int error;
  } known[] = {{ERROR_FILE_NOT_FOUND, ENOENT},    {ERROR_PATH_NOT_FOUND, ENOENT},    {ERROR_INVALID_NAME, ENOENT},
               {ERROR_ACCESS_DENIED, EACCES},     {ERROR_SHARING_VIOLATION, EACCES}, {ERROR_FILE_EXISTS, EEXIST},
               {ERROR_ALREADY_EXISTS, EEXIST},    {ERROR_DISK_FULL, ENOSPC},         {ERROR_HANDLE_DISK_FULL, ENOSPC},
               {ERROR_NOT_ENOUGH_MEMORY, ENOMEM}, {ERROR_DIRECTORY, ENOTDIR}};
  const DWORD code = GetLastError();
  errno = EIO;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].code == code) errno = known[i].error;
  return -1;
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* Windows counts 100 ns since 1601. */
static int64_t time_of(FILETIME t) {
  static const int64_t epoch = INT64_C(116444736000000000);
  return (((int64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - epoch) * 100;
}

/* Something that is there, files and folders alike; it may be removed and moved meanwhile. */
static HANDLE open_there(const char *path, DWORD access) {
  return CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                     FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

bool skp__facts(struct skp__facts *out, const char *path) {
  BY_HANDLE_FILE_INFORMATION st;
  *out = (struct skp__facts){.kind = SKP_NOTHING};
  const HANDLE file = open_there(path, FILE_READ_ATTRIBUTES);
  if (file == INVALID_HANDLE_VALUE) return !skp__windows_failed();
  if (GetFileType(file) != FILE_TYPE_DISK)
    out->kind = SKP_ELSE;
  else if (GetFileInformationByHandle(file, &st))
    *out = (struct skp__facts){.kind = st.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? SKP_FOLDER : SKP_FILE,
                               .bytes = (int64_t)st.nFileSizeHigh << 32 | st.nFileSizeLow,
                               .time = time_of(st.ftLastWriteTime),
                               .device = st.dwVolumeSerialNumber,
                               .number = (uint64_t)st.nFileIndexHigh << 32 | st.nFileIndexLow};
  CloseHandle(file);
  return true;
}

bool skp__facts_open(struct skp__facts *out, DIR *dir, const char *path) {
  (void)dir;
  return skp__facts(out, path);
}

enum skp__there skp__entry_kind(DIR *dir, const char *path, const struct dirent *entry) {
  char whole[2 * MAX_PATH];
  struct skp__facts there;
  (void)dir;
  snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
  (void)skp__facts(&there, whole);
  return there.kind;
}

void skp__touch(const char *path) {
  FILETIME now;
  const HANDLE file = open_there(path, FILE_WRITE_ATTRIBUTES);
  if (file == INVALID_HANDLE_VALUE) return;
  GetSystemTimeAsFileTime(&now);
  SetFileTime(file, NULL, NULL, &now);
  CloseHandle(file);
}

int skp__link_text(char *out, size_t size, const char *path) {
  (void)out, (void)size, (void)path;
  return -1;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* What O_CREAT, O_EXCL and O_TRUNC ask for. */
static DWORD disposition(int flags) {
  if (flags & O_EXCL) return CREATE_NEW;
  if (flags & O_CREAT) return flags & O_TRUNC ? CREATE_ALWAYS : OPEN_ALWAYS;
  return flags & O_TRUNC ? TRUNCATE_EXISTING : OPEN_EXISTING;
}

/* _open would let no other process remove or replace the file. */
int skp__open(const char *path, int flags) {
  const int ways = flags & (O_WRONLY | O_RDWR);
  const DWORD access = ways == O_RDWR ? GENERIC_READ | GENERIC_WRITE : ways ? GENERIC_WRITE : GENERIC_READ;
  const HANDLE file = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                  disposition(flags), FILE_ATTRIBUTE_NORMAL, NULL);
  if (file == INVALID_HANDLE_VALUE) return skp__windows_failed();
  const int fd = _open_osfhandle((intptr_t)file, (flags & (O_APPEND | O_RDWR | O_WRONLY)) | _O_BINARY | _O_NOINHERIT);
  if (fd < 0) CloseHandle(file);
  return fd;
}

int skp__open_any(const char *path) { return skp__open(path, O_RDONLY); }

int64_t skp__read_at(int file, void *out, size_t n, int64_t at) {
  DWORD got = 0;
  OVERLAPPED from = {.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
  const DWORD most = n < 1 << 30 ? (DWORD)n : 1 << 30;
  const HANDLE handle = (HANDLE)_get_osfhandle(file);
  const bool read = ReadFile(handle, out, most, &got, &from) || GetLastError() == ERROR_HANDLE_EOF;
  return read ? (int64_t)got : skp__windows_failed();
}

int skp__sync(int file) { return _commit(file); }

/* A rename that is written through is as lasting as its folder. */
void skp__sync_folder(const char *folder) { (void)folder; }

int skp__rename(const char *from, const char *to) {
  return MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) ? 0 : skp__windows_failed();
}

int skp__make_folder(const char *path) { return CreateDirectoryA(path, NULL) ? 0 : skp__windows_failed(); }

int skp__try_room(const char *path, int64_t bytes) {
  LARGE_INTEGER end = {.QuadPart = bytes};
  const HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE, NULL);
  if (file == INVALID_HANDLE_VALUE) return skp__windows_failed(), errno;
  const bool fits = SetFilePointerEx(file, end, NULL, FILE_BEGIN) && SetEndOfFile(file);
  const int error = fits ? 0 : (skp__windows_failed(), errno);
  CloseHandle(file);
  return error;
}

bool skp__disk_full(int error) { return error == ENOSPC; }

/* ---- streams ----------------------------------------------------------------------------------------------------- */

bool skp__is_stream(const char *path) {
  struct skp__facts there;
  return skp__facts(&there, path) && there.kind == SKP_ELSE;
}

int skp__open_stream(const char *path) { return skp__open(path, O_WRONLY | O_APPEND); }

/* ---- paths ------------------------------------------------------------------------------------------------------- */

bool skp__path_whole(const char *path) { return *path == '/' || *path == '\\' || (*path && path[1] == ':'); }

bool skp__folder_runs_code(const char *folder) {
  (void)folder;
  return true;
}
