/* selftest.c: skipper selftest. SPDX-License-Identifier: MIT */
#include "cli/cli.h"

skp_status cli_selftest(struct cli *c) {
  uint64_t seed;
  int passed, failed;
  TRY(cli_seed(c, &seed, UINT64_MAX, 1));
  if (cli_said(c, CLI_TRAIN) != (c->n_arguments > 0))
    return skp_fail(SKP_USAGE, "--train and the MODEL that is to be trained go together.");
  if (cli_said(c, CLI_TRAIN)) return cli_selftest_train(c, seed);
  TRY(cli_open_device(c));
  cli_say_device(c);
  const skp_selftest_options options = {
      .cases = c->value[CLI_CASES], .op = c->value[CLI_OP], .seed = seed, .json = cli_said(c, CLI_JSON), .to = stdout};
  TRY(skp_selftest(c->device, &options, &passed, &failed));
  if (!failed) return SKP_OK;
  return skp_fail(SKP_DEVICE, "%d of %d checks failed: this device and driver compute wrongly with those methods.",
                  failed, passed + failed);
}
