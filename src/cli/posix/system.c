/* system.c: see system.h. SPDX-License-Identifier: MIT */
#include "cli/system.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int cli_terminal_columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

double cli_most_memory(void) {
#ifdef __APPLE__
  enum { UNIT = 1 };
#else
  enum { UNIT = 1024 };
#endif
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return UNIT * (double)usage.ru_maxrss;
}

/* ---- signals ----------------------------------------------------------------------------------------------------- */

void cli_outlive_limits(void) { signal(SIGXFSZ, SIG_IGN); }

bool cli_hang_up_ignored(void) {
  struct sigaction now;
  return !sigaction(SIGHUP, NULL, &now) && now.sa_handler == SIG_IGN;
}

void cli_catch_signals(void (*stop)(int number), bool ignore_hang_up) {
  struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (ignore_hang_up) action.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &action, NULL);
  cli_outlive_limits();
}

/* ---- silence ----------------------------------------------------------------------------------------------------- */

static FILE *own_stderr; /* of a program that is silent; NULL: it speaks */

bool cli_fall_silent(void) {
  FILE *nowhere = freopen("/dev/null", "w", stdout) ? fopen("/dev/null", "w") : NULL;
  if (!nowhere) return false;
  own_stderr = stderr;
  stderr = nowhere;
  return true;
}

void cli_speak_up(void) {
  if (own_stderr) stderr = own_stderr;
  own_stderr = NULL;
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

/* 0, or what it ended with: a number that is not; after so many seconds it is ended. */
static int await(pid_t pid, int seconds) {
  enum { LOOKS_PER_SECOND = 20 };
  const struct timespec nap = {.tv_nsec = 1000000000 / LOOKS_PER_SECOND};
  int how = -1;
  for (int i = 0; i < seconds * LOOKS_PER_SECOND; i++) {
    const pid_t got = waitpid(pid, &how, WNOHANG);
    if (got == pid) return how;
    if (got < 0 && errno != EINTR) return -1;
    nanosleep(&nap, NULL);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &how, 0);
  return how;
}

/* In the child. A stop of its parent, of whatever kind, is its own; where a system knows no such thing it ends by
 * itself. */
static void become(const char *const *words, pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  const int nowhere = open("/dev/null", O_RDWR);
  bool ready = nowhere >= 0 && getppid() == parent;
  for (int fd = 0; fd <= STDERR_FILENO; fd++) ready = ready && dup2(nowhere, fd) == fd;
  if (ready) execvp(words[0], (char *const *)words);
  _exit(1);
}

bool cli_run(const char *const *words, int seconds) {
  const pid_t parent = getpid(), pid = fork();
  if (!pid) become(words, parent);
  return pid > 0 && await(pid, seconds) == 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

int cli_make_folder(const char *path) { return mkdir(path, 0777) && errno != EEXIST ? errno : 0; }

char *cli_true_path(const char *path) { return realpath(path, NULL); }

bool cli_is_file(const char *path) {
  struct stat st;
  return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool cli_is_folder(const char *path) {
  struct stat st;
  return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool cli_same_file(const char *a, const char *b) {
  struct stat x, y;
  return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void cli_each_in(const char *folder, void (*each)(void *user, const char *name), void *user) {
  struct dirent **entry;
  const int n = scandir(folder, &entry, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    if (*entry[i]->d_name != '.') each(user, entry[i]->d_name);
    free(entry[i]);
  }
  if (n >= 0) free(entry);
}

FILE *cli_text_open(char **text) {
  static size_t bytes; /* the text ends with a zero */
  *text = NULL;
  return open_memstream(text, &bytes);
}

bool cli_text_close(FILE *to, char **text) { return !fclose(to) && *text; } /* glibc says it by no text, too */
