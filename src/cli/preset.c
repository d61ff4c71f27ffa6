/* preset.c: options that the environment says: SKIPPER_WEIGHT_DECAY=1e-4 for --weight-decay 1e-4. The name of a
 * variable is made of that of its option, so each option has one, but for those listed here.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 };

/* Options without a variable, and why. */
static const struct without {
  const char *command, *option, *why; /* command NULL: any */
} without[] = {{NULL, "resume", "it names one run"},
               {NULL, "set", "it belongs to one model file"},
               {NULL, "logits", "it makes predict do something else"},
               {NULL, "train", "it makes selftest do something else"},
               {NULL, "peak", "it makes bench do something else"},
               {"lr", "lr", "it is what lr looks for"},
               {"lr", "schedule", "it is what lr goes through"},
               {"report", "out", "it names a page, not the folder of a run"},
               {NULL, "help", NULL}};
enum { WITHOUT = sizeof without / sizeof *without };

/* Options that a command, or one that its call says, bears no longer: what the environment says of them is passed over,
 * not refused. */
static const struct {
  const char *command; /* NULL: any */
  cli_option said;
  const char *passed;
} passed_over[] = {
    {"bench", CLI_PEAK, " batch optimizer size accumulate precision mode steps layers trace threads tune verbose "},
    {"predict", CLI_LOGITS, " top json invert explain "},
    {"train", CLI_RESUME, " init seeds "},
    {NULL, CLI_STRICT, " max-damaged "},
    {NULL, CLI_MAX_DAMAGED, " strict "}};

static bool is_command(const char *listed, const struct cli_command *command) {
  return !listed || strcmp(listed, command->name) == 0;
}

static const struct without *find_without(const struct cli_option_row *o) {
  for (size_t i = 0; i < WITHOUT; i++)
    if (is_command(without[i].command, o->command) && strcmp(without[i].option, o->name) == 0) return &without[i];
  return NULL;
}

const char *cli_preset_name(char *text, size_t size, const struct cli_option_row *o) {
  if (find_without(o)) return NULL;
  snprintf(text, size, "SKIPPER_%s", o->name);
  for (char *at = text; *at; at++) *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
  return text;
}

static bool is_passed_over(const struct cli *c, const char *option) {
  char word[NAME];
  bool passed = false;
  snprintf(word, sizeof word, " %s ", option);
  for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
    passed = passed || (is_command(passed_over[i].command, c->command) && cli_typed(c, passed_over[i].said) &&
                        strstr(passed_over[i].passed, word));
  return passed;
}

/* "SKIPPER_LR=0.1" after those before it. */
static skp_status note(struct cli *c, const char *name, const char *text) {
  char *before = c->presets;
  skp_status status = cli_format(&c->presets, "%s%s%s=%s", before ? before : "", before ? ", " : "", name, text);
  if (status != SKP_OK) c->presets = before;
  if (status == SKP_OK) free(before);
  return status;
}

/* What a switch, or an option that needs no argument, is when its variable is 1 or 0, NULL: not said; else `text`. */
static const char *meaning(const struct cli_option_row *o, const char *text) {
  const bool bare = !o->argument || *o->argument == '[', entry = o->place >= CLI_OPTIONS;
  if (bare && strcmp(text, "1") == 0) return entry ? "true" : "";
  if (bare && strcmp(text, "0") == 0) return entry ? "false" : NULL;
  return text;
}

struct taking {
  struct cli *c;
  skp_status status;
};

static skp_status take(struct cli *c, const struct cli_option_row *o, const char *name, const char *text) {
  char **at = o->place < CLI_OPTIONS ? &c->value[o->place] : &c->recipe[o->place - CLI_OPTIONS];
  const char *said = meaning(o, text);
  if (!o->argument && said == text) return skp_fail(SKP_USAGE, "%s is 1 or 0, not \"%s\".", name, text);
  if (!said) return SKP_OK;
  TRY(note(c, name, text));
  TRY(cli_copy(at, said));
  c->preset[o->place] = true;
  return SKP_OK;
}

static void take_unsaid(void *user, const struct cli_option_row *o) {
  struct taking *t = user;
  char name[NAME];
  if (t->status != SKP_OK || !cli_preset_name(name, sizeof name, o) || is_passed_over(t->c, o->name)) return;
  if (o->place < CLI_OPTIONS ? t->c->value[o->place] : t->c->recipe[o->place - CLI_OPTIONS]) return;
  const char *text = cli_variable(name);
  if (text) t->status = take(t->c, o, name, text);
}

skp_status cli_take_presets(struct cli *c) {
  struct taking t = {c, SKP_OK};
  cli_each_option(c->command, take_unsaid, &t);
  return t.status;
}

/* ---- help ------------------------------------------------------------------------------------------------------- */

struct naming { /* of a command's variables, and of options without one */
  char *text, *apart;
  size_t size;
};

static void name_one(void *user, const struct cli_option_row *o) {
  struct naming *n = user;
  char name[NAME];
  const struct without *w = find_without(o);
  size_t used = strlen(n->text);
  if (cli_preset_name(name, sizeof name, o)) {
    snprintf(n->text + used, n->size - used, "%s%s", used ? " " : "", name);
    return;
  }
  used = strlen(n->apart);
  if (w->why) snprintf(n->apart + used, n->size - used, " --%s has none: %s.", o->name, w->why);
}

bool cli_preset_help(const struct cli_command *command, char *rule, char *names, size_t size) {
  static const char text[] =
      "Each option can be said by a variable, too: SKIPPER_NAME=VALUE for --name VALUE, with _ for each -; 1 or 0 for "
      "a switch. The call goes before the environment, that before the model's recipe; an empty variable says nothing.";
  snprintf(rule, size, "%s", text);
  *names = 0;
  cli_each_option(command, name_one, &(struct naming){names, rule, size});
  return *names;
}
