/* system.c: see system.h. SPDX-License-Identifier: MIT */
#include "cli/system.h"
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <psapi.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int cli_terminal_columns(void) {
  CONSOLE_SCREEN_BUFFER_INFO screen;
  if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &screen)) return 0;
  return screen.srWindow.Right - screen.srWindow.Left + 1;
}

double cli_most_memory(void) {
  PROCESS_MEMORY_COUNTERS memory;
  return GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory) ? (double)memory.PeakWorkingSetSize : 0;
}

/* ---- signals ----------------------------------------------------------------------------------------------------- */

static void (*stopping)(int number);

/* What a shell calls the ends on other systems: an interrupt is 2, a hang-up 1, any other end 15. */
static BOOL WINAPI hear(DWORD event) {
  enum { LONG = 20000 }; /* ms: Windows ends the process where this returns, and after a while where it does not */
  const bool interrupt = event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
  stopping(interrupt ? 2 : event == CTRL_CLOSE_EVENT ? 1 : 15);
  if (!interrupt) Sleep(LONG); /* until what is saved is saved */
  return TRUE;
}

void cli_outlive_limits(void) {}

bool cli_hang_up_ignored(void) { return false; }

void cli_catch_signals(void (*stop)(int number), bool ignore_hang_up) {
  (void)ignore_hang_up;
  if (!stopping) SetConsoleCtrlHandler(hear, TRUE);
  stopping = stop;
}

/* ---- silence ----------------------------------------------------------------------------------------------------- */

bool cli_fall_silent(void) { return freopen("NUL", "w", stdout) && freopen("NUL", "w", stderr); }

void cli_speak_up(void) {}

/* ---- processes --------------------------------------------------------------------------------------------------- */

/* The words as one line, each in quotes: they have none themselves. False: the line is too long. */
static bool line_of(char *out, size_t size, const char *const *words) {
  size_t n = 0;
  for (int i = 0; words[i] && n < size; i++)
    n += (size_t)snprintf(out + n, size - n, "%s\"%s\"", i ? " " : "", words[i]);
  return n < size;
}

/* What is in it ends when its one handle is closed, as the end of this program does. */
static HANDLE open_job(void) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  HANDLE job = CreateJobObjectA(NULL, NULL);
  if (job) SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
  return job;
}

bool cli_run(const char *const *words, int seconds) {
  char line[4096];
  DWORD code = 1;
  PROCESS_INFORMATION process;
  SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
  if (!line_of(line, sizeof line, words)) return false;
  HANDLE nowhere = CreateFileA("NUL", GENERIC_READ | GENERIC_WRITE, 0, &inherited, OPEN_EXISTING, 0, NULL);
  STARTUPINFOA start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
  start.hStdInput = start.hStdOutput = start.hStdError = nowhere;
  HANDLE job = open_job();
  const bool started =
      job && CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &process);
  CloseHandle(nowhere);
  if (started) {
    const bool held = AssignProcessToJobObject(job, process.hProcess);
    if (held) ResumeThread(process.hThread);
    if (held && WaitForSingleObject(process.hProcess, (DWORD)seconds * 1000) == WAIT_OBJECT_0)
      GetExitCodeProcess(process.hProcess, &code);
    else
      TerminateProcess(process.hProcess, 1);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
  }
  if (job) CloseHandle(job);
  return code == 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

int cli_make_folder(const char *path) {
  if (CreateDirectoryA(path, NULL) || GetLastError() == ERROR_ALREADY_EXISTS) return 0;
  return GetLastError() == ERROR_PATH_NOT_FOUND ? ENOENT : EACCES;
}

char *cli_true_path(const char *path) {
  if (GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES) return NULL;
  char *whole = _fullpath(NULL, path, 0);
  for (char *at = whole; at && *at; at++)
    if (*at == '\\') *at = '/';
  return whole;
}

static DWORD attributes(const char *path) { return GetFileAttributesA(path); }

bool cli_is_file(const char *path) {
  return attributes(path) != INVALID_FILE_ATTRIBUTES && !(attributes(path) & FILE_ATTRIBUTE_DIRECTORY);
}

bool cli_is_folder(const char *path) {
  return attributes(path) != INVALID_FILE_ATTRIBUTES && attributes(path) & FILE_ATTRIBUTE_DIRECTORY;
}

static bool identify(BY_HANDLE_FILE_INFORMATION *out, const char *path) {
  const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  HANDLE file = CreateFileA(path, FILE_READ_ATTRIBUTES, share, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  const bool known = file != INVALID_HANDLE_VALUE && GetFileInformationByHandle(file, out);
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  return known;
}

bool cli_same_file(const char *a, const char *b) {
  BY_HANDLE_FILE_INFORMATION x, y;
  return identify(&x, a) && identify(&y, b) && x.dwVolumeSerialNumber == y.dwVolumeSerialNumber &&
         x.nFileIndexHigh == y.nFileIndexHigh && x.nFileIndexLow == y.nFileIndexLow;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void cli_each_in(const char *folder, void (*each)(void *user, const char *name), void *user) {
  enum { MOST = 4096 };
  char **names = calloc(MOST, sizeof *names);
  size_t n = 0;
  DIR *dir = names ? opendir(folder) : NULL;
  for (struct dirent *e; dir && n < MOST && (e = readdir(dir));)
    if (*e->d_name != '.' && (names[n] = strdup(e->d_name))) n++;
  if (dir) closedir(dir);
  if (n) qsort(names, n, sizeof *names, by_bytes);
  for (size_t i = 0; i < n; i++) {
    each(user, names[i]);
    free(names[i]);
  }
  free(names);
}

/* Streams are of files alone here; this one goes when it is closed. */
FILE *cli_text_open(char **text) {
  char folder[MAX_PATH], path[MAX_PATH];
  *text = NULL;
  if (!GetTempPathA(sizeof folder, folder) || !GetTempFileNameA(folder, "skp", 0, path)) return NULL;
  return fopen(path, "w+bTD");
}

bool cli_text_close(FILE *to, char **text) {
  const long bytes = fflush(to) ? -1 : ftell(to);
  *text = bytes < 0 ? NULL : calloc((size_t)bytes + 1, 1);
  rewind(to);
  const bool whole = *text && fread(*text, 1, (size_t)bytes, to) == (size_t)bytes;
  fclose(to);
  return whole;
}
