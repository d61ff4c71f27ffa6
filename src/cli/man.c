/* man.c: manual pages, made from the same tables as --help. SPDX-License-Identifier: MIT */
#include "cli/shell.h"
#include "skipper/version.h"
#include <ctype.h>
#include <string.h>

/* A text in roff: backslashes, and dashes that are to be typed, are escaped; a line that begins with a dot or a quote
 * would be a request. */
static void put_part(FILE *to, const char *text, size_t n) {
  for (const char *at = text; at < text + n; at++) {
    if ((at == text || at[-1] == '\n') && (*at == '.' || *at == '\'')) fprintf(to, "\\&");
    if (*at == '\\' || *at == '-') fputc('\\', to);
    fputc(*at, to);
  }
}

static void put(FILE *to, const char *text) { put_part(to, text, strlen(text)); }

static void begin(FILE *to, const char *title, const char *summary) {
  fprintf(to, ".TH ");
  for (const char *at = title; *at; at++) fputc(toupper((unsigned char)*at), to);
  fprintf(to, " 1 \"\" \"skipper %s\" \"Skipper\"\n.SH NAME\n", SKP_VERSION);
  put(to, title);
  fprintf(to, " \\- ");
  put(to, summary);
  fprintf(to, "\n.SH SYNOPSIS\n");
}

struct listing {
  FILE *to;
  const char *group;
};

static void put_option(void *user, const struct cli_option_row *o) {
  struct listing *l = user;
  if (!l->group || strcmp(l->group, o->group) != 0) {
    fprintf(l->to, ".SS ");
    put(l->to, o->group);
    fprintf(l->to, "\n");
    l->group = o->group;
  }
  fprintf(l->to, ".TP\n");
  if (o->letter) fprintf(l->to, "\\fB\\-%c\\fR, ", o->letter);
  fprintf(l->to, "\\fB");
  fprintf(l->to, "\\-\\-");
  put(l->to, o->name);
  fprintf(l->to, "\\fR%s", o->argument ? " \\fI" : "");
  if (o->argument) put(l->to, o->argument);
  fprintf(l->to, "%s\n", o->argument ? "\\fR" : "");
  put(l->to, o->help);
  fprintf(l->to, "\n");
}

/* Lines that begin with two blanks are calls, shown as they are. */
static void put_details(FILE *to, const char *details) {
  bool example = false;
  for (const char *at = details; *at;) {
    const size_t n = strcspn(at, "\n");
    if (example != !strncmp(at, "  ", 2)) fprintf(to, example ? ".EE\n" : ".PP\n.EX\n");
    example = !strncmp(at, "  ", 2);
    put_part(to, at, n);
    fprintf(to, "\n");
    at += n + (at[n] == '\n');
  }
  if (example) fprintf(to, ".EE\n");
}

static void put_variable(void *to, const char *name, const char *help) {
  fprintf(to, ".TP\n\\fB");
  put(to, name);
  fprintf(to, "\\fR\n");
  put(to, help);
  fprintf(to, "\n");
}

static void put_preset(void *to, const struct cli_option_row *o) {
  char name[64], help[128];
  snprintf(help, sizeof help, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
  if (cli_preset_name(name, sizeof name, o)) put_variable(to, name, help);
}

static void man_environment(const struct cli_command *command, FILE *to) {
  char rule[CLI_PRESET_HELP], names[CLI_PRESET_HELP];
  if (!cli_preset_help(command, rule, names, CLI_PRESET_HELP)) return;
  fprintf(to, ".SH ENVIRONMENT\n");
  put(to, rule);
  fprintf(to, "\n.BR skipper (1)\nlists those that stand for no option.\n");
  cli_each_option(command, put_preset, to);
}

static void man_command(const struct cli_command *command, FILE *to) {
  char title[64];
  snprintf(title, sizeof title, "skipper-%s", command->name);
  begin(to, title, command->summary);
  fprintf(to, "\\fBskipper %s\\fR ", command->name);
  put(to, command->arguments);
  fprintf(to, "%s[\\fIOPTION\\fR...]\n.SH DESCRIPTION\n", *command->arguments ? " " : "");
  put(to, command->summary);
  fprintf(to, ".\n.PP\n");
  put_details(to, command->details);
  fprintf(to, ".SH OPTIONS\n");
  cli_each_option(command, put_option, &(struct listing){to, NULL});
  man_environment(command, to);
  fprintf(to, ".SH SEE ALSO\n.BR skipper (1)\n");
}

static void man_program(FILE *to) {
  begin(to, "skipper", "trains residual networks on any OpenCL device");
  fprintf(to, "\\fBskipper\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n.SH COMMANDS\n");
  for (const struct cli_command *k = cli_commands; k->name; k++) {
    fprintf(to, ".TP\n\\fB%s\\fR ", k->name);
    put(to, k->arguments);
    fprintf(to, "\n");
    put(to, k->summary);
    fprintf(to, "; see\n.BR skipper\\-%s (1).\n", k->name);
  }
  fprintf(to,
          ".SH OPTIONS\n.TP\n\\fB\\-\\-help\\fR\nLists the commands; after a command, its options.\n"
          ".TP\n\\fB\\-\\-version\\fR\nSays which version this is.\n"
          ".TP\n\\fB\\-\\-completion\\fR \\fISHELL\\fR\nPrints the script by which bash, zsh or fish complete.\n"
          ".TP\n\\fB\\-\\-man\\fR [\\fICOMMAND\\fR]\nPrints this page, or that of a command.\n"
          ".SH ENVIRONMENT\nThe options of a command can be said by variables, which its page lists; beside them:\n");
  cli_each_variable(put_variable, to);
  fprintf(to, ".SH EXIT STATUS\n");
  put(to, cli_statuses);
  fprintf(to, ".\n.SH SEE ALSO\n");
  for (const struct cli_command *k = cli_commands; k->name; k++)
    fprintf(to, ".BR skipper\\-%s (1)%s\n", k->name, k[1].name ? "," : "");
}

void cli_man(const struct cli_command *command, FILE *to) {
  if (command)
    man_command(command, to);
  else
    man_program(to);
}
