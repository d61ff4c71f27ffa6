/* fuzz_command.c: whatever words a command is called with, they are understood or refused with a text. The bytes are
 * the words with zeros between them. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "parts.h"

/* What commands ask of their words before they do anything. */
static void ask(struct cli *c) {
  skp_device_options device;
  skp_data_options data;
  skp_training training;
  int64_t number;
  int workers;
  double seconds;
  for (int o = 0; o < CLI_OPTIONS; o++) (void)cli_int(c, (cli_option)o, &number, -5, 5, 1);
  (void)cli_device_options(c, &device);
  memset(&data, 0, sizeof data);
  memset(&training, 0, sizeof training);
  (void)cli_data_options(c, &data);
  (void)cli_workers(c, &workers);
  (void)cli_max_time(c, &seconds);
  (void)cli_save_options(c, &training);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct parts p = parts_of(bytes, size);
  const struct cli_command *command = cli_commands;
  for (const struct cli_command *k = cli_commands; k->name; k++)
    if (!strcmp(k->name, p.text[0])) command = k;
  struct cli c = {.command = command};
  bool help = false;
  if (cli_parse(&c, p.n, p.text, &help) == SKP_OK)
    ask(&c);
  else if (!*skp_error_message())
    abort();
  cli_free(&c);
  free(p.memory);
  return 0;
}
