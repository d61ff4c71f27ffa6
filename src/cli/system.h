/* system.h: what systems do each in their own way: posix/system.c, windows/system.c. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_SYSTEM_H
#define SKP_CLI_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The columns of the terminal that standard error is; 0: it is none, or says nothing. */
int cli_terminal_columns(void);
/* The most memory that this process has had, in bytes. */
double cli_most_memory(void);

/* A limit on file sizes is an error like a full disk. */
void cli_outlive_limits(void);
/* Whether the caller wants a hang-up to be ignored (nohup): asked before a driver sets
 * handlers of its own, as PoCL's LLVM does. */
bool cli_hang_up_ignored(void);
/* Ctrl-C, kill and, unless that is to be ignored, a hang-up call `stop` with the signal's number. It takes them over
 * from such a driver, too. */
void cli_catch_signals(void (*stop)(int number), bool ignore_hang_up);

/* From now on the program prints nothing, until an end that must be told; false: it cannot. Standard error stays as it
 * is for who writes to it directly: drivers, sanitizers. */
bool cli_fall_silent(void);
/* What must be told is told again. */
void cli_speak_up(void);

/* Whether a program, the first of these words, was run by the others and ended well; NULL ends them. It reads and says
 * nothing, and is ended where it takes longer or this program ends. */
bool cli_run(const char *const *words, int seconds);

/* 0, or an errno; a folder that is there is fine. */
int cli_make_folder(const char *path);
/* The one path of what is there, without links, in fresh memory; NULL: nothing is. */
char *cli_true_path(const char *path);
bool cli_is_file(const char *path);
bool cli_is_folder(const char *path);
/* Whether two paths lead to the same file or folder, by whatever names. */
bool cli_same_file(const char *a, const char *b);
/* Calls `each` with what lies in a folder, but for names with a dot before them, by their bytes. */
void cli_each_in(const char *folder, void (*each)(void *user, const char *name), void *user);

/* A stream to print a text into; NULL: memory lacks. What is printed is *text once it is closed; free() it. False: it
 * is not whole. */
FILE *cli_text_open(char **text);
bool cli_text_close(FILE *to, char **text);

#endif
