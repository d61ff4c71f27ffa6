/* instructions.c: what the CPU that runs this program has, and its driver does not say: PoCL takes the newest CPUs for
 * older ones. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"
#if defined __x86_64__ && defined __linux__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

bool skp__cl_host_has_bf16(void) { return __builtin_cpu_supports("avx512bf16"); }

/* CPUID, leaf 7, EDX: AMX-BF16 and AMX-TILE. The system is asked for the tiles' memory, once for the whole process:
 * arch_prctl(2), ARCH_REQ_XCOMP_PERM, XTILEDATA; Linux has that from 5.16 on. */
bool skp__cl_host_has_amx(void) {
  enum { REQUEST = 0x1023, TILE_DATA = 18, BF16 = 1 << 22, TILES = 1 << 24 };
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & BF16 && d & TILES &&
         syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

#else

bool skp__cl_host_has_bf16(void) { return false; }
bool skp__cl_host_has_amx(void) { return false; }

#endif
