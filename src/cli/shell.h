/* shell.h: the table of commands and options as a manual page and as completions. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_SHELL_H
#define SKP_CLI_SHELL_H

#include "cli/cli.h"

/* The program's manual page, or that of a command if it is not NULL, in man's own format. */
void cli_man(const struct cli_command *command, FILE *to);
/* The script that makes a shell (bash, zsh, fish) complete: it calls skipper --complete. SKP_USAGE for another one. */
skp_status cli_completion(const char *shell, FILE *to);
/* What may stand in place of the last of `n` words, a line each: the word, then after a tab what it is. A line ":files"
 * or ":folders" stands for those. */
void cli_complete(const char *const *word, int n, FILE *to);

#endif
