/* complete.c: what a shell offers when a user presses TAB. SPDX-License-Identifier: MIT
 *
 * The scripts of the three shells do one thing: they ask `skipper --complete WORD…` and show what it says. So commands,
 * options, models, devices and run folders are known in one place, and never out of date. */
#include "cli/shell.h"
#include "cli/system.h"
#include <stdlib.h>
#include <string.h>

/* ---- what can be said -------------------------------------------------------------------------------------------- */

static void offer(FILE *to, const char *word, const char *what) {
  fprintf(to, "%s%s%s\n", word, what ? "\t" : "", what ? what : "");
}

struct runs {
  FILE *to;
  char folder[4096]; /* where they are, with a slash */
  const char *has;   /* the file that makes a folder one of them */
};

static void offer_run(void *user, const char *name) {
  const struct runs *r = user;
  char path[8192];
  snprintf(path, sizeof path, "%s%s/%s", r->folder, name, r->has);
  if (cli_is_file(path)) fprintf(r->to, "%s%s\trun\n", r->folder, name);
}

/* Runs that have this file, in the folder that the word begins with; where it begins with none, in runs/. */
static void offer_runs(FILE *to, const char *word, const char *has) {
  const char *slash = strrchr(word, '/');
  struct runs r = {.to = to, .has = has};
  snprintf(r.folder, sizeof r.folder, "%.*s", slash ? (int)(slash - word + 1) : 5, slash ? word : "runs/");
  cli_each_in(r.folder, offer_run, &r);
}

/* Each stands for its best weights. */
static void offer_weights(FILE *to, const char *word) {
  offer_runs(to, word, "last.safetensors");
  fprintf(to, ":files\n");
}

static void offer_states(FILE *to, const char *word) {
  offer_runs(to, word, "state.safetensors");
  fprintf(to, ":folders\n");
}

static void offer_logs(FILE *to, const char *word) {
  offer_runs(to, word, "config.json");
  fprintf(to, ":folders\n");
}

static void offer_networks(FILE *to, const char *word) {
  const char *name;
  for (size_t i = 0; (name = skp_model_known(i)); i++) offer(to, name, "comes along");
  offer_weights(to, word);
}

static void offer_devices(FILE *to, const char *word) {
  (void)word;
  size_t n = 0;
  offer(to, "gpu", "the best GPU");
  offer(to, "cpu", "the best CPU");
  if (skp_device_count(&n) != SKP_OK) return;
  for (size_t i = 0; i < n; i++) {
    skp_device_info d;
    if (skp_device_describe(i, &d) == SKP_OK && d.usable) fprintf(to, "%d:%d\t%s\n", d.platform, d.device, d.name);
  }
}

static void offer_files(FILE *to, const char *word) {
  (void)word;
  fprintf(to, ":files\n");
}

static void offer_folders(FILE *to, const char *word) {
  (void)word;
  fprintf(to, ":folders\n");
}

/* What follows an option, beside the words that an entry of the recipe takes: some words, or what a function offers. */
static const struct {
  const char *option, *words;
  void (*offer)(FILE *to, const char *word);
} values[] = {
    {"device", NULL, offer_devices},       {"data", NULL, offer_files},          {"init", NULL, offer_weights},
    {"resume", NULL, offer_states},        {"out", NULL, offer_folders},         {"report", NULL, offer_folders},
    {"explain", NULL, offer_folders},      {"figures", NULL, offer_folders},     {"cases", NULL, offer_folders},
    {"onnx", NULL, offer_files},           {"logits", NULL, offer_files},        {"curve", NULL, offer_files},
    {"trace", NULL, offer_files},          {"tensorboard", NULL, offer_folders}, {"tune", "off quick full", NULL},
    {"backend", "opencl reference", NULL}, {"labels", "name number", NULL},      {"mode", "train eval", NULL},
};

/* What the arguments of commands are called. */
static const struct {
  const char *begins;
  void (*offer)(FILE *to, const char *word);
} arguments[] = {{"MODEL", offer_networks}, {"[MODEL", offer_networks}, {"CKPT", offer_weights}, {"RUN", offer_logs}};

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

static void put_option(void *to, const struct cli_option_row *o) { fprintf(to, "--%s\t%s\n", o->name, o->help); }

struct search { /* for an option by "--NAME" or "-LETTER" */
  const char *word, *name, *argument;
};

static void find_option(void *user, const struct cli_option_row *o) {
  struct search *s = user;
  const bool is_long = !strncmp(s->word, "--", 2) && !strcmp(s->word + 2, o->name);
  const bool is_short = o->letter && s->word[0] == '-' && s->word[1] == o->letter && !s->word[2];
  if (!is_long && !is_short) return;
  s->name = o->name;
  s->argument = o->argument;
}

static void offer_words(FILE *to, const char *words) {
  for (const char *at = words; *at; at += strspn(at, " ")) {
    const int n = (int)strcspn(at, " ");
    fprintf(to, "%.*s\n", n, at);
    at += n;
  }
}

/* Those that an entry of the recipe takes. */
static void offer_choices(FILE *to, const char *option) {
  skp_entry e;
  char name[64];
  const char *word;
  for (size_t i = 0; skp_entry_describe(i, &e); i++)
    for (size_t k = 0; !strcmp(cli_dashed(name, sizeof name, e.name), option) && (word = skp_entry_choice(e.name, k));
         k++)
      fprintf(to, "%s\n", word);
}

static void offer_value(FILE *to, const char *option, const char *word) {
  offer_choices(to, option);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    if (strcmp(values[i].option, option) != 0) continue;
    if (values[i].words) offer_words(to, values[i].words);
    if (values[i].offer) values[i].offer(to, word);
  }
}

static void offer_argument(FILE *to, const struct cli_command *command, const char *word) {
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
    if (!strncmp(command->arguments, arguments[i].begins, strlen(arguments[i].begins))) arguments[i].offer(to, word);
}

static void offer_commands(FILE *to) {
  for (const struct cli_command *k = cli_commands; k->name; k++) offer(to, k->name, k->summary);
  offer(to, "--help", "the commands");
  offer(to, "--version", NULL);
  offer(to, "--completion", "the script for a shell");
  offer(to, "--man", "a manual page");
}

static const struct cli_command *find_command(const char *name) {
  const struct cli_command *k = cli_commands;
  while (k->name && strcmp(k->name, name) != 0) k++;
  return k->name ? k : NULL;
}

void cli_complete(const char *const *word, int n, FILE *to) {
  const struct cli_command *command = n > 1 ? find_command(word[0]) : NULL;
  struct search last = {.word = n > 2 ? word[n - 2] : ""};
  if (n == 2 && !strcmp(word[0], "--completion")) {
    offer_words(to, "bash zsh fish");
  } else if (n <= 1) {
    offer_commands(to);
  } else if (command) {
    cli_each_option(command, find_option, &last);
    const bool option = *word[n - 1] == '-'; /* for one that is said without its argument, too */
    if (last.name && last.argument && !(*last.argument == '[' && option))
      offer_value(to, last.name, word[n - 1]);
    else if (option)
      cli_each_option(command, put_option, to);
    else
      offer_argument(to, command, word[n - 1]);
  }
}

/* ---- the shells' scripts ----------------------------------------------------------------------------------------- */

static const struct {
  const char *shell, *script;
} scripts[] = {
    {"bash",
     "# Completion of skipper for bash: source it, or let it lie in bash-completion's folder.\n"
     "_skipper() {\n"
     "  local line word=${COMP_WORDS[COMP_CWORD]}\n"
     "  COMPREPLY=()\n"
     "  while IFS= read -r line; do\n"
     "    case $line in\n"
     "      :files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
     "      :folders) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
     "      \"$word\"*) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
     "    esac\n"
     "  done < <(\"${COMP_WORDS[0]}\" --complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
     "}\n"
     "complete -F _skipper skipper\n"},
    {"zsh", "#compdef skipper\n"
            "# Completion of skipper for zsh: as _skipper in a folder of $fpath.\n"
            "_skipper() {\n"
            "  local line\n"
            "  local -a offers\n"
            "  for line in \"${(@f)$(\"${words[1]}\" --complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
            "    case $line in\n"
            "      :files) _files ;;\n"
            "      :folders) _files -/ ;;\n"
            "      ?*) offers+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
            "    esac\n"
            "  done\n"
            "  _describe -V skipper offers\n"
            "}\n"
            "if [ \"$funcstack[1]\" = _skipper ]; then _skipper \"$@\"; else compdef _skipper skipper; fi\n"},
    {"fish", "# Completion of skipper for fish: in a folder of $fish_complete_path.\n"
             "function __skipper_complete\n"
             "  set -l words (commandline -opc) (commandline -ct)\n"
             "  for line in ($words[1] --complete $words[2..-1] 2>/dev/null)\n"
             "    switch $line\n"
             "      case ':files'\n"
             "        __fish_complete_path (commandline -ct)\n"
             "      case ':folders'\n"
             "        __fish_complete_directories (commandline -ct)\n"
             "      case '*'\n"
             "        echo $line\n"
             "    end\n"
             "  end\n"
             "end\n"
             "complete -c skipper -f -a '(__skipper_complete)'\n"},
};

skp_status cli_completion(const char *shell, FILE *to) {
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    if (strcmp(scripts[i].shell, shell) != 0) continue;
    fputs(scripts[i].script, to);
    return SKP_OK;
  }
  return skp_fail(SKP_USAGE, "--completion knows bash, zsh and fish, not \"%s\".", shell);
}
