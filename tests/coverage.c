/* coverage.c: a part of the library in builds that count the lines that run (SKP_COVERAGE). A process that ends by
 * _exit, as those do that ask drivers or compile, would lose what it counted. SPDX-License-Identifier: MIT */
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);

void _exit(int status) {
  __gcov_dump();
  for (;;) syscall(SYS_exit_group, status);
}
