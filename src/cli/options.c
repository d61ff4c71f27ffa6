/* options.c: words of the command line to values, by popt. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <errno.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  char letter;
  const char *argument, *help;
} options[] = {
#define X(id, name, letter, argument, help) {name, letter, argument, help},
    CLI_OPTION_LIST(X)
#undef X
};

/* popt's `val` of an option: 1 + its number, those of the recipe after the others. */
enum { RECIPE = CLI_OPTIONS, HELP = 1000, ROWS = CLI_OPTIONS + CLI_RECIPE_FIELDS + 2 };

/* A table for popt, and the names that it points to. */
struct table {
  struct poptOption row[ROWS];
  int n;
  char names[CLI_RECIPE_FIELDS][32];
};

/* ---- which options a command takes ------------------------------------------------------------------------------ */

/* Whether `word` is one of the blank-separated `words`. */
static bool listed(const char *words, const char *word) {
  size_t n = strlen(word);
  for (const char *at = words; (at = strstr(at, word)); at += n)
    if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' ')) return true;
  return false;
}

/* Groups of options, by the word that stands for each in the table of commands. */
static bool in_group(const char *words, int option) { return option >= CLI_PLATFORM && listed(words, "device"); }

/* weight_decay to weight-decay */
const char *cli_dashed(char *text, size_t size, const char *name) {
  snprintf(text, size, "%s", name);
  for (char *at = text; *at; at++)
    if (*at == '_') *at = '-';
  return text;
}

static void add(struct table *t, const char *name, char letter, int val, const char *argument, const char *help) {
  t->row[t->n++] = (struct poptOption){.longName = name,
                                       .shortName = letter,
                                       .argInfo = *argument == '[' ? POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL
                                                  : *argument      ? POPT_ARG_STRING
                                                                   : POPT_ARG_NONE,
                                       .val = val,
                                       .descrip = help,
                                       .argDescrip = *argument ? argument : NULL};
}

static const char *recipe_argument(const struct skp_recipe_field *f) {
  static const char *const names[] = {"NAME", "N", "X", "", "X,..."};
  return strcmp(f->name, "data") == 0 ? "DIR" : names[f->kind];
}

static void make_table(struct table *t, const char *words) {
  *t = (struct table){.n = 0};
  for (int i = 0; i < CLI_RECIPE_FIELDS; i++) {
    const struct skp_recipe_field *f = &skp__recipe_fields[i];
    cli_dashed(t->names[i], sizeof t->names[i], f->name);
    if (listed(words, "recipe") || listed(words, t->names[i]))
      add(t, t->names[i], 0, 1 + RECIPE + i, recipe_argument(f), f->help);
  }
  for (int i = 0; i < CLI_OPTIONS; i++)
    if (listed(words, options[i].name) || in_group(words, i))
      add(t, options[i].name, options[i].letter, 1 + i, options[i].argument, options[i].help);
  add(t, "help", 'h', HELP, "", "show this");
}

/* ---- help ------------------------------------------------------------------------------------------------------- */

void cli_help(const struct cli_command *command, FILE *to) {
  struct table t;
  char usage[128];
  const char *argv[] = {"skipper", NULL};
  make_table(&t, command->options);
  poptContext context = poptGetContext(NULL, 1, argv, t.row, POPT_CONTEXT_NO_EXEC);
  snprintf(usage, sizeof usage, "%s %s[OPTION...]", command->name, command->arguments);
  if (*command->arguments) snprintf(usage, sizeof usage, "%s %s [OPTION...]", command->name, command->arguments);
  poptSetOtherOptionHelp(context, usage);
  fprintf(to, "%s.\n\n", command->summary);
  poptPrintHelp(context, to, 0);
  if (*command->details) fprintf(to, "\n%s\n", command->details);
  poptFreeContext(context);
}

/* ---- hints ------------------------------------------------------------------------------------------------------ */

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* How many letters must be changed, left out or put in to make one word of the other. */
static size_t distance(const char *a, const char *b) {
  enum { LONGEST = 40 };
  size_t n = strlen(b), row[LONGEST + 1];
  if (n > LONGEST) return LONGEST;
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t changed = corner + (a[i - 1] != b[j - 1]);
      corner = row[j];
      row[j] = least(changed, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[n];
}

const char *cli_nearest(const char *word, const char *const *words, size_t n) {
  const char *best = NULL;
  size_t nearest = 1 + strlen(word) / 3; /* a third of its letters may be wrong */
  for (size_t i = 0; i < n; i++) {
    size_t d = distance(word, words[i]);
    if (d > nearest || (best && d == nearest)) continue;
    nearest = d;
    best = words[i];
  }
  return best;
}

/* What an option that this command does not know may have been meant to be. */
static skp_status fail_unknown(const struct cli *c, const char *word) {
  struct table t;
  const char *names[ROWS], *bare = word + strspn(word, "-");
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
  for (const struct cli_command *other = cli_commands; other->name; other++) {
    make_table(&t, other->options);
    for (int i = 0; i < t.n; i++)
      if (strcmp(t.row[i].longName, name) == 0)
        return skp__fail(SKP_USAGE, "%s takes no --%s; that is an option of %s.", c->command->name, name, other->name);
  }
  make_table(&t, c->command->options);
  for (int i = 0; i < t.n; i++) names[i] = t.row[i].longName;
  const char *near = cli_nearest(name, names, (size_t)t.n);
  return near ? skp__fail(SKP_USAGE, "There is no option %s. Did you mean --%s?", word, near)
              : skp__fail(SKP_USAGE, "There is no option %s.", word);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

skp_status cli_add_setting(struct cli *c, char *text) {
  skp_status status = SKP_GROW(&c->settings);
  if (status == SKP_OK) status = SKP_GROW(&c->set);
  if (status != SKP_OK) {
    free(text);
    return status;
  }
  c->settings.at[c->settings.n - 1] = text;
  char *equals = strchr(text, '=');
  if (!equals || equals == text) return skp__fail(SKP_USAGE, "--set wants NAME=VALUE, not \"%s\".", text);
  *equals = 0;
  c->set.at[c->set.n - 1] = (struct skp_setting){text, equals + 1};
  return SKP_OK;
}

static skp_status take(struct cli *c, int option, char *text) {
  if (option == CLI_SET) return cli_add_setting(c, text);
  char **at = option >= RECIPE ? &c->recipe[option - RECIPE] : &c->value[option];
  free(*at);
  *at = text;
  return text ? SKP_OK : skp__strdup(at, option >= RECIPE ? "true" : "");
}

static skp_status take_arguments(struct cli *c, poptContext context) {
  for (const char *word; (word = poptGetArg(context));) {
    SKP_TRY(SKP_GROW(&c->arguments));
    SKP_TRY(skp__strdup(&c->arguments.at[c->arguments.n - 1], word));
  }
  int n = (int)c->arguments.n;
  const struct cli_command *k = c->command;
  if (n < k->least) return skp__fail(SKP_USAGE, "%s wants %s.", k->name, k->arguments);
  if (n > k->most)
    return skp__fail(SKP_USAGE, "%s does not know what to do with \"%s\".", k->name, c->arguments.at[k->most]);
  return SKP_OK;
}

static skp_status read_words(struct cli *c, poptContext context, bool *help) {
  int val;
  while ((val = poptGetNextOpt(context)) > 0) {
    if (val == HELP) {
      *help = true;
      return SKP_OK;
    }
    SKP_TRY(take(c, val - 1, poptGetOptArg(context)));
  }
  const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  if (val == POPT_ERROR_BADOPT) return fail_unknown(c, word);
  if (val < -1) return skp__fail(SKP_USAGE, "%s: %s.", word, poptStrerror(val));
  return take_arguments(c, context);
}

skp_status cli_parse(struct cli *c, int argc, const char **argv, bool *help) {
  struct table t;
  make_table(&t, c->command->options);
  poptContext context = poptGetContext(NULL, argc, argv, t.row, POPT_CONTEXT_NO_EXEC);
  if (!context) return skp__fail_memory("the command line", 0);
  skp_status status = read_words(c, context, help);
  poptFreeContext(context);
  return status;
}

const char *cli_said_entry(const struct cli *c, const char *name) {
  int i = 0;
  while (strcmp(skp__recipe_fields[i].name, name) != 0) i++;
  return c->recipe[i];
}

skp_status cli_int(const struct cli *c, cli_option o, int64_t *out, int64_t least_value, int64_t most,
                   int64_t fallback) {
  const char *text = c->value[o];
  char *end;
  *out = fallback;
  if (!text) return SKP_OK;
  errno = 0;
  long long n = strtoll(text, &end, 10);
  if (!*text || text[strspn(text, "-0123456789")] || *end || errno || n < least_value || n > most)
    return skp__fail(SKP_USAGE, "--%s is a whole number from %lld to %lld, not \"%s\".", options[o].name,
                     (long long)least_value, (long long)most, text);
  *out = n;
  return SKP_OK;
}

void cli_free(struct cli *c) {
  for (int i = 0; i < CLI_OPTIONS; i++) free(c->value[i]);
  for (int i = 0; i < CLI_RECIPE_FIELDS; i++) free(c->recipe[i]);
  for (size_t i = 0; i < c->arguments.n; i++) free(c->arguments.at[i]);
  for (size_t i = 0; i < c->settings.n; i++) free(c->settings.at[i]);
  SKP_FREE(&c->arguments);
  SKP_FREE(&c->settings);
  SKP_FREE(&c->set);
  skp__session_destroy(c->session);
  if (c->class_names) skp__class_names_free(c->class_names, c->model->recipe.classes);
  for (int split = 0; split < 2; split++) skp__source_destroy(c->source[split]);
  skp__model_destroy(c->model);
  skp__backend_close(c->backend);
}
