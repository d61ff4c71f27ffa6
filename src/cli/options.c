/* options.c: words of the command line to values, by popt. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/foreign.h"
#include <errno.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  char letter;
  const char *argument, *help;
} options[] = {
#define X(id, name, letter, argument, help) {name, letter, argument, help},
    CLI_OPTION_LIST(X)
#undef X
};

/* popt's `val` of an option: 1 + its number, those of the recipe after the others; of
 * one of other trainers: from FOREIGN on. */
enum { RECIPE = CLI_OPTIONS, PLACES = RECIPE + CLI_ENTRIES_MOST, HELP = 1000, FOREIGN = 2000 };
enum { ROWS = CLI_OPTIONS + CLI_ENTRIES_MOST + CLI_FOREIGN_MOST + 2 };

/* A table for popt, and the names that it points to. */
struct table {
  struct poptOption row[ROWS];
  int n, own; /* rows; those of them that are Skipper's own */
  char names[CLI_ENTRIES_MOST][32], help[CLI_ENTRIES_MOST][256];
};

/* ---- which options a command takes ------------------------------------------------------------------------------ */

/* `word` among the blank-separated `words`; NULL: it is not one of them. */
static const char *find_word(const char *words, const char *word) {
  size_t n = strlen(word);
  for (const char *at = words; (at = strstr(at, word)); at += n)
    if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' ')) return at;
  return NULL;
}

static bool listed(const char *words, const char *word) { return find_word(words, word); }

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

static const struct poptOption *find_row(const struct table *t, const char *name) {
  for (int i = 0; i < t->own; i++)
    if (strcmp(t->row[i].longName, name) == 0) return &t->row[i];
  return NULL;
}

/* Another trainer's name for an option that the command takes. */
static void add_foreign(struct table *t, int i) {
  const struct cli_foreign *f = &cli_foreign[i];
  const struct poptOption *ours = f->ours ? find_row(t, strncmp(f->ours, "set ", 4) == 0 ? "set" : f->ours) : NULL;
  if (!ours) return;
  struct poptOption *row = &t->row[t->n++];
  *row = *ours;
  row->longName = f->name;
  row->shortName = f->letter;
  row->val = FOREIGN + i;
}

static const char *entry_argument(const skp_entry *e) {
  static const char *const kinds[][2] = {
      {"text", "NAME"}, {"int", "N"}, {"real", "X"}, {"bool", ""}, {"numbers", "X,..."}};
  size_t i = 0;
  while (strcmp(kinds[i][0], e->kind) != 0) i++;
  return strcmp(e->name, "data") == 0 ? "DIR" : kinds[i][1];
}

/* "of the weights (sgd, adam or lion)": what an entry is for, and the words that it takes. */
static const char *entry_help(char *text, size_t size, const skp_entry *e) {
  size_t n = (size_t)snprintf(text, size, "%s", e->help);
  const char *word = skp_entry_choice(e->name, 0), *before = " (";
  for (size_t i = 1; word && n < size; i++) {
    const char *next = skp_entry_choice(e->name, i), *after = next ? "" : ")";
    n += (size_t)snprintf(text + n, size - n, "%s%s%s", next || i == 1 ? before : " or ", word, after);
    before = ", ";
    word = next;
  }
  return text;
}

static void make_table(struct table *t, const char *words) {
  *t = (struct table){.n = 0};
  skp_entry e;
  for (int i = 0; i < CLI_ENTRIES_MOST && skp_entry_describe((size_t)i, &e); i++) {
    cli_dashed(t->names[i], sizeof t->names[i], e.name);
    if (listed(words, "recipe") || listed(words, t->names[i]))
      add(t, t->names[i], 0, 1 + RECIPE + i, entry_argument(&e), entry_help(t->help[i], sizeof t->help[i], &e));
  }
  for (int i = 0; i < CLI_OPTIONS; i++)
    if (listed(words, options[i].name) || in_group(words, i))
      add(t, options[i].name, options[i].letter, 1 + i, options[i].argument, options[i].help);
  add(t, "help", 'h', HELP, "", "show this");
  t->own = t->n;
  for (size_t i = 0; i < cli_foreign_n; i++) add_foreign(t, (int)i);
}

/* ---- help ------------------------------------------------------------------------------------------------------- */

/* How help lists the options; what is in none of these comes last. */
static const struct {
  const char *title, *names;
} groups[] = {
    {"Common options:",
     "data out epochs batch lr optimizer schedule init resume onnx opset tensorboard report top logits labels set size "
     "device json help"},
    {"Length, saving, chance:", "max-steps max-time patience save-every keep seed seeds valid-split"},
    {"Optimizer and learning rate:",
     "momentum nesterov weight-decay no-decay beta1 beta2 eps clip-norm label-smoothing ema "
     "accumulate warmup lr-step milestones gamma lr-min plateau-patience "
     "plateau-threshold freeze freeze-bn sync-bn lr-mult"},
    {"Images:", "mean std resize test-views workers strict max-damaged no-shuffle balanced no-augment"},
    {"Augmentation:",
     "random-resized-crop crop crop-padding crop-reflect flip cutout brightness contrast saturation hue "
     "trivial-augment rand-augment rand-augment-ops rotate blur erasing mixup cutmix"},
    {"Device:", "platform backend threads tune verbose"},
};
enum { GROUPS = sizeof groups / sizeof *groups + 1 };

/* The rows of each group, for popt: a table of tables. */
struct help {
  struct poptOption top[GROUPS + 1], row[GROUPS][ROWS];
};

static int group_of(const char *name) {
  int g = 0;
  while (g < GROUPS - 1 && !listed(groups[g].names, name)) g++;
  return g;
}

/* Where the name stands in its group's list. */
static size_t place_of(const char *name) {
  int g = group_of(name);
  return g < GROUPS - 1 ? (size_t)(find_word(groups[g].names, name) - groups[g].names) : 0;
}

static int by_place(const void *a, const void *b) {
  size_t x = place_of(((const struct poptOption *)a)->longName), y = place_of(((const struct poptOption *)b)->longName);
  return (x > y) - (x < y);
}

static void group_rows(struct help *h, const struct table *t) {
  int n[GROUPS] = {0}, tables = 0;
  memset(h, 0, sizeof *h);
  for (int i = 0; i < t->own; i++) {
    int g = group_of(t->row[i].longName);
    h->row[g][n[g]++] = t->row[i];
  }
  for (int g = 0; g < GROUPS; g++) {
    qsort(h->row[g], (size_t)n[g], sizeof **h->row, by_place);
    if (!n[g]) continue;
    h->top[tables++] = (struct poptOption){.argInfo = POPT_ARG_INCLUDE_TABLE,
                                           .arg = h->row[g],
                                           .descrip = g < GROUPS - 1 ? groups[g].title : "More options:"};
  }
}

void cli_each_option(const struct cli_command *command, void (*tell)(void *user, const struct cli_option_row *o),
                     void *user) {
  struct table t;
  struct help h;
  make_table(&t, command->options);
  group_rows(&h, &t);
  for (const struct poptOption *group = h.top; group->arg; group++)
    for (const struct poptOption *o = group->arg; o->longName; o++)
      tell(user, &(struct cli_option_row){command, group->descrip, o->longName, o->argDescrip, o->descrip,
                                          o->val == HELP ? PLACES : o->val - 1, o->shortName});
}

static void help_environment(const struct cli_command *command, FILE *to) {
  char rule[CLI_PRESET_HELP], names[CLI_PRESET_HELP];
  if (!cli_preset_help(command, rule, names, CLI_PRESET_HELP)) return;
  fprintf(to, "\nEnvironment:\n");
  cli_wrap(to, CLI_HELP_COLUMNS, 2, "  %s\n", rule);
  cli_wrap(to, CLI_HELP_COLUMNS, 4, "    %s\n", names);
}

void cli_help(const struct cli_command *command, FILE *to) {
  struct table t;
  struct help h;
  char usage[128];
  const char *argv[] = {"skipper", NULL};
  make_table(&t, command->options);
  group_rows(&h, &t);
  poptContext context = poptGetContext(NULL, 1, argv, h.top, POPT_CONTEXT_NO_EXEC);
  snprintf(usage, sizeof usage, "%s %s%s[OPTION...]", command->name, command->arguments,
           *command->arguments ? " " : "");
  poptSetOtherOptionHelp(context, usage);
  cli_wrap(to, CLI_HELP_COLUMNS, 0, "%s.\n\n", command->summary);
  poptPrintHelp(context, to, 0);
  help_environment(command, to);
  if (*command->details) cli_wrap(to, CLI_HELP_COLUMNS, 0, "\n%s\n", command->details);
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

static bool is_foreign(const struct cli_foreign *f, const char *name) {
  return (f->name && strcmp(f->name, name) == 0) || (f->letter && name[0] == f->letter && !name[1]);
}

/* The row of the table of foreign options that has this name; NULL: none. */
static const struct cli_foreign *find_foreign(const char *name) {
  for (size_t i = 0; i < cli_foreign_n; i++)
    if (is_foreign(&cli_foreign[i], name)) return &cli_foreign[i];
  return NULL;
}

/* The nearest option of the command, by Skipper's name or another's; NULL: none is near. */
static const char *nearest_option(const struct table *t, const char *name) {
  const char *names[ROWS];
  int n = 0;
  for (int i = 0; i < t->n; i++)
    if (t->row[i].longName) names[n++] = t->row[i].longName;
  const char *near = cli_nearest(name, names, (size_t)n);
  const struct cli_foreign *f = near ? find_foreign(near) : NULL;
  return f && f->ours && find_row(t, f->ours) ? f->ours : near;
}

/* The commands that know an option, for people; false: none does. */
static bool name_others(char *text, size_t size, const char *option) {
  *text = 0;
  for (const struct cli_command *other = cli_commands; other->name; other++) {
    struct table its;
    const size_t n = strlen(text);
    make_table(&its, other->options);
    if (find_row(&its, option)) snprintf(text + n, size - n, "%s%s", n ? ", " : "", other->name);
  }
  return *text;
}

/* What an option that this command does not know may have been meant to be. */
static skp_status fail_unknown(const struct cli *c, const char *word) {
  struct table t;
  const char *bare = word + strspn(word, "-");
  char said[64], name[64];
  snprintf(said, sizeof said, "%.*s", (int)strcspn(bare, "="), bare);
  cli_dashed(name, sizeof name, said);
  const struct cli_foreign *f = find_foreign(name);
  if (f && f->answer) return skp_fail(SKP_USAGE, "There is no option %s. %s", word, f->answer);
  const char *meant = f && f->ours ? f->ours : name;
  make_table(&t, c->command->options);
  const char *near = find_row(&t, meant) ? meant : nearest_option(&t, name);
  char others[128];
  if (near != meant && name_others(others, sizeof others, meant))
    return skp_fail(SKP_USAGE, "%s takes no --%s; that is an option of %s.", c->command->name, meant, others);
  return near ? skp_fail(SKP_USAGE, "There is no option %s. Did you mean --%s?", word, near)
              : skp_fail(SKP_USAGE, "There is no option %s.", word);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Of names with " + " between the end, from one of the first `before` characters on, that is itself a file or folder,
 * which would be taken for all of these; NULL: there is none. */
static const char *find_hiding(const char *names, size_t before) {
  for (const char *at = names; at && at < names + before; at = strstr(at, " + "), at = at ? at + strlen(" + ") : NULL)
    if (access(at, F_OK) == 0) return at;
  return NULL;
}

/* One more set of those that are trained with together. */
static skp_status take_more(char **at, char *text) {
  char *before = *at;
  skp_status status = cli_format(at, "%s + %s", before, text);
  const char *hiding = status == SKP_OK ? find_hiding(*at, strlen(before)) : NULL;
  if (hiding)
    status =
        skp_fail(SKP_USAGE, "\"%s\" is there, too, and would be taken for these sets: say --data ./%s.", hiding, text);
  free(before);
  free(text);
  return status;
}

static skp_status take(struct cli *c, int option, char *text) {
  skp_entry e;
  if (option == CLI_SET) {
    c->settings[c->n_settings++] = text;
    return SKP_OK;
  }
  char **at = option >= RECIPE ? &c->recipe[option - RECIPE] : &c->value[option];
  if (*at && option >= RECIPE && skp_entry_describe((size_t)(option - RECIPE), &e) && !strcmp(e.name, "data"))
    return take_more(at, text);
  free(*at);
  *at = text;
  return text ? SKP_OK : cli_copy(at, option >= RECIPE ? "true" : "");
}

/* The same of another trainer's option. */
static skp_status take_foreign(struct cli *c, const struct table *t, const struct cli_foreign *f, char *text) {
  char *setting;
  if (strncmp(f->ours, "set ", 4) != 0) return take(c, find_row(t, f->ours)->val - 1, text);
  skp_status status = cli_format(&setting, "%s=%s", f->ours + 4, text);
  free(text);
  return status == SKP_OK ? take(c, CLI_SET, setting) : status;
}

static skp_status take_arguments(struct cli *c, poptContext context) {
  for (const char *word; (word = poptGetArg(context));) TRY(cli_copy(&c->arguments[c->n_arguments++], word));
  const struct cli_command *k = c->command;
  if (c->n_arguments < k->least) return skp_fail(SKP_USAGE, "%s wants %s.", k->name, k->arguments);
  if (c->n_arguments <= k->most) return SKP_OK;
  const char *extra = c->arguments[k->most];
  const bool data = skp_find_name(extra) == SKP_NAMES_DATA;
  return skp_fail(SKP_USAGE, "%s does not know what to do with \"%s\".%s%s%s", k->name, extra,
                  data ? " Did you mean --data " : "", data ? extra : "", data ? "?" : "");
}

static skp_status read_words(struct cli *c, const struct table *t, poptContext context, bool *help) {
  int val;
  while ((val = poptGetNextOpt(context)) > 0) {
    if (val == HELP) {
      *help = true;
      return SKP_OK;
    }
    TRY(val < FOREIGN ? take(c, val - 1, poptGetOptArg(context))
                      : take_foreign(c, t, &cli_foreign[val - FOREIGN], poptGetOptArg(context)));
  }
  const char *word = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  if (val == POPT_ERROR_BADOPT) return fail_unknown(c, word);
  if (val < -1) return skp_fail(SKP_USAGE, "%s: %s.", word, poptStrerror(val));
  return take_arguments(c, context);
}

skp_status cli_parse(struct cli *c, int argc, const char **argv, bool *help) {
  struct table t;
  make_table(&t, c->command->options);
  TRY(cli_alloc(&c->arguments, (size_t)argc + 1, sizeof *c->arguments)); /* a word gives one of either at most */
  TRY(cli_alloc(&c->settings, (size_t)argc + 1, sizeof *c->settings));
  errno = 0; /* popt loses a word without telling where memory lacks */
  poptContext context = poptGetContext(NULL, argc, argv, t.row, POPT_CONTEXT_NO_EXEC);
  skp_status status = context ? read_words(c, &t, context, help) : SKP_MEMORY;
  if (!context || errno == ENOMEM) status = skp_fail(SKP_MEMORY, "Out of memory for the command line.");
  poptFreeContext(context);
  return status == SKP_OK && !*help ? cli_take_presets(c) : status;
}

static size_t find_entry(const char *name) {
  skp_entry e;
  size_t i = 0;
  while (skp_entry_describe(i, &e) && strcmp(e.name, name) != 0) i++;
  return i;
}

const char *cli_said_entry(const struct cli *c, const char *name) { return c->recipe[find_entry(name)]; }

bool cli_typed_entry(const struct cli *c, const char *name) {
  return cli_said_entry(c, name) && !c->preset[RECIPE + find_entry(name)];
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
    return skp_fail(SKP_USAGE, "--%s is a whole number from %lld to %lld, not \"%s\".", options[o].name,
                    (long long)least_value, (long long)most, text);
  *out = n;
  return SKP_OK;
}

skp_status cli_seed(const struct cli *c, uint64_t *out, uint64_t most, uint64_t fallback) {
  const char *text = c->value[CLI_SEED];
  *out = fallback;
  if (!text || skp_text_digits(out, text, most)) return SKP_OK;
  return skp_fail(SKP_USAGE, "--seed is a whole number from 0 to %llu, not \"%s\".", (unsigned long long)most, text);
}

static void free_texts(char **texts, int n) {
  for (int i = 0; i < n; i++) free(texts[i]);
  free(texts);
}

void cli_free(struct cli *c) {
  const bool at_rest = c->run && cli_said(c, CLI_RESUME); /* then the model is the run's */
  for (int i = 0; i < CLI_OPTIONS; i++) free(c->value[i]);
  for (int i = 0; i < CLI_ENTRIES_MOST; i++) free(c->recipe[i]);
  free_texts(c->arguments, c->n_arguments);
  free_texts(c->settings, c->n_settings);
  free(c->presets);
  skp_session_close(c->session);
  skp_run_close(c->run);
  if (!at_rest) skp_model_free(c->model);
  skp_data_close(c->data);
  skp_device_close(c->device);
}
