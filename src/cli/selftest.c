/* selftest.c: skipper selftest. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "verify/verify.h"

skp_status cli_selftest(struct cli *c) {
  int64_t seed;
  struct skp_verify_result result;
  SKP_TRY(cli_int(c, CLI_SEED, &seed, 0, INT64_MAX, 1));
  SKP_TRY(cli_open_backend(c));
  cli_say_device(c);
  struct skp_verify_options options = {.cases = c->value[CLI_CASES],
                                       .op = c->value[CLI_OP],
                                       .seed = (uint64_t)seed,
                                       .json = cli_said(c, CLI_JSON),
                                       .to = stdout};
  SKP_TRY(skp__verify(&result, c->backend, &options));
  if (!result.failed) return SKP_OK;
  return skp__fail(SKP_DEVICE, "%d of %d checks failed: this device and driver compute wrongly with those methods.",
                   result.failed, result.passed + result.failed);
}
