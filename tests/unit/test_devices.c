/* test_devices.c: choosing among listed devices, and listing in the presence of drivers
 * that misbehave. Needs no device.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/host.h"
#include "test.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

static struct skp_device_list list;

static struct skp_device *add(int platform, int device, const char *platform_name, const char *name, const char *type) {
  struct skp_device *d = &list.at[list.n++];
  *d = (struct skp_device){.platform = platform, .device = device, .usable = true, .memory = 1 << 30};
  snprintf(d->platform_name, sizeof d->platform_name, "%s", platform_name);
  snprintf(d->name, sizeof d->name, "%s", name);
  snprintf(d->type, sizeof d->type, "%s", type);
  return d;
}

/* A machine with everything: two equal GPUs, an integrated one that two platforms show, and two CPU drivers. */
static void fill(void) {
  list = (struct skp_device_list){0};
  add(0, 0, "rusticl", "Intel(R) Graphics", "GPU")->unified = true;
  add(1, 0, "Portable Computing Language", "pthread-EPYC", "CPU");
  add(2, 0, "NVIDIA CUDA", "GeForce RTX 3080", "GPU");
  add(2, 1, "NVIDIA CUDA", "GeForce RTX 3080", "GPU")->memory *= 2;
  add(2, 2, "NVIDIA CUDA", "GeForce RTX 3080 Ti", "GPU");
  add(3, 0, "Intel(R) OpenCL Graphics", "Intel(R) Graphics", "GPU")->unified = true;
  add(4, 0, "Intel(R) OpenCL", "EPYC 7B13", "CPU");
  add(5, 0, "Intel(R) FPGA Emulation Platform", "Emulator", "ACCELERATOR");
  skp__devices_mark_twins(&list);
}

static void chosen(const char *platform, const char *device, int want_platform, int want_device) {
  const struct skp_device *d;
  ck_ok(skp__devices_choose(&d, NULL, &list, NULL, platform, device));
  ck_assert_int_eq(d->platform, want_platform);
  ck_assert_int_eq(d->device, want_device);
}

static void refused(const char *platform, const char *device, skp_status status, const char *part) {
  const struct skp_device *d;
  ck_fails(skp__devices_choose(&d, NULL, &list, NULL, platform, device), status, part);
  ck_assert_ptr_null(d);
}

START_TEST(best_is_a_gpu_of_its_own_with_most_memory) { chosen(NULL, NULL, 2, 1); }
END_TEST

START_TEST(by_index) {
  chosen("1", "0", 1, 0);
  chosen("2", NULL, 2, 1);
  chosen(NULL, "2:2", 2, 2);
  chosen(NULL, "1", 2, 1); /* the only device 1 */
}
END_TEST

START_TEST(by_name) {
  chosen("portable", NULL, 1, 0);
  chosen(NULL, "rtx 3080 ti", 2, 2);
  chosen(NULL, "PTHREAD", 1, 0);
  chosen("intel(r) opencl", NULL, 4, 0); /* the whole name goes before a part */
}
END_TEST

START_TEST(twins) {
  ck_assert(!list.at[0].usable && list.at[0].twin);
  ck_assert_ptr_nonnull(strstr(list.at[0].skipped, "3:0"));
  chosen(NULL, "graphics", 3, 0);
  chosen("rusticl", NULL, 0, 0);
  chosen(NULL, "0:0", 0, 0);
}
END_TEST

START_TEST(twins_by_bus) {
  list = (struct skp_device_list){0};
  strcpy(add(0, 0, "rusticl", "AMD Radeon (radeonsi)", "GPU")->bus, "0000:03:00.0");
  strcpy(add(1, 0, "AMD APP", "gfx1030", "GPU")->bus, "0000:03:00.0");
  strcpy(add(1, 1, "AMD APP", "gfx1030", "GPU")->bus, "0000:04:00.0");
  skp__devices_mark_twins(&list);
  ck_assert(list.at[0].twin && list.at[1].usable && list.at[2].usable);
}
END_TEST

START_TEST(by_kind) {
  chosen(NULL, "gpu", 2, 1);
  chosen("3", "GPU", 3, 0);
  chosen(NULL, "cpu", 1, 0); /* the first of two: a kind names no single one */
  chosen(NULL, "Accelerator", 5, 0);
  chosen("FPGA", NULL, 5, 0);
  refused("2", "cpu", SKP_NO_DEVICE, "platform 2 device cpu");
  add(6, 0, "Odd", "cpu", "GPU");
  chosen(NULL, "cpu", 6, 0); /* a device of that very name goes before */
}
END_TEST

/* Of those that may be meant one that is clearly faster than the best kind is taken, if all were measured. */
START_TEST(by_speed) {
  double seconds[SKP_MAX_DEVICES] = {0, 1.2, 0.5, 0.4, 0.3, 0.2, 0.9, 2};
  const struct skp_device *d;
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[5]); /* integrated, but fast; the twin has none */
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, "2", NULL));
  ck_assert_ptr_eq(d, &list.at[4]);
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, "cpu"));
  ck_assert_ptr_eq(d, &list.at[6]);
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, "2:0"));
  ck_assert_ptr_eq(d, &list.at[2]);
  ck_fails(skp__devices_choose(&d, NULL, &list, seconds, NULL, "rtx 3080"), SKP_USAGE, "2:1");
  seconds[7] = 0;
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[3]);
  for (int i = 1; i < 8; i++) seconds[i] = i == 3 ? 0.4 : 0.35;
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[3]); /* by no more than measuring may err */
  seconds[6] = 0.3;
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[6]);
  seconds[4] = -1; /* one that cannot be measured is none of the others' affair */
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[6]);
  seconds[3] = -1; /* nor are the others its own */
  ck_ok(skp__devices_choose(&d, NULL, &list, seconds, NULL, NULL));
  ck_assert_ptr_eq(d, &list.at[3]);
}
END_TEST

static void meant(const char *platform, const char *device, const char *want) {
  const struct skp_device *d;
  bool is[SKP_MAX_DEVICES];
  ck_ok(skp__devices_choose(&d, is, &list, NULL, platform, device));
  for (size_t i = 0; i < list.n; i++) ck_assert_int_eq(is[i], want[i] == '1');
}

START_TEST(which_are_meant) {
  meant(NULL, NULL, "01111111"); /* all but the twin */
  meant(NULL, "gpu", "00111100");
  meant(NULL, "2:1", "00010000");
  meant("portable", NULL, "01000000");
}
END_TEST

START_TEST(several_are_listed) {
  refused(NULL, "EPYC", SKP_USAGE, "4:0  EPYC 7B13");
  refused(NULL, "rtx 3080", SKP_USAGE, "2:1");
  refused(NULL, "0", SKP_USAGE, "matches several");
  refused("intel", NULL, SKP_USAGE, "platform intel");
}
END_TEST

START_TEST(none_lists_what_there_is) {
  refused(NULL, "voodoo", SKP_NO_DEVICE, "No usable device matches device voodoo");
  refused(NULL, "voodoo", SKP_NO_DEVICE, "5:0  Emulator");
  refused(NULL, "CUDA:1", SKP_NO_DEVICE, "device CUDA:1. Did you mean device gpu? There are:");
  for (size_t i = 0; i < list.n; i++) list.at[i].usable = list.at[i].usable && !strcmp(list.at[i].type, "CPU");
  refused(NULL, "cuda", SKP_NO_DEVICE, "Did you mean device gpu? There is none that is usable. There are:");
  refused("9", NULL, SKP_NO_DEVICE, "platform 9");
  refused("portable", "rtx", SKP_NO_DEVICE, "platform portable device rtx");
  refused("", "2:7", SKP_NO_DEVICE, "2:7");
}
END_TEST

START_TEST(unusable_are_not_chosen) {
  for (size_t i = 0; i < list.n; i++) {
    list.at[i].usable = list.at[i].twin = false;
    strcpy(list.at[i].skipped, "its driver has no compiler");
  }
  refused(NULL, NULL, SKP_NO_DEVICE, "pocl-opencl-icd");
  refused(NULL, NULL, SKP_NO_DEVICE, "its driver has no compiler");
}
END_TEST

/* ---- listing ----------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/skipper-test-XXXXXX";

static void fresh_folder(void) { ck_assert_ptr_nonnull(mkdtemp(folder)); }

static void remove_folder(void) {
  char path[600];
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    unlink(path);
  }
  if (dir) closedir(dir);
  rmdir(folder);
}

/* An .icd file for a fake driver. */
static void install(const char *name, const char *fault) {
  char path[600];
  const char *fakes = getenv("SKP_FAKE_ICDS");
  ck_assert_ptr_nonnull(fakes);
  snprintf(path, sizeof path, "%s/%s.icd", folder, name);
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  fprintf(f, "%s/libfake_icd_%s.so\n", fakes, fault);
  fclose(f);
}

static const struct skp_device_list *list_with_drivers(void) {
  const struct skp_device_list *found;
  setenv("OCL_ICD_VENDORS", folder, 1);
  ck_ok(skp__host_set(&(struct skp__host){.probe_seconds = 0.3}));
  ck_ok(skp__devices_list(&found));
  ck_assert_str_eq(getenv("OCL_ICD_VENDORS"), folder);
  return found;
}

static bool noted(const struct skp_device_list *found, const char *a, const char *b) {
  for (size_t i = 0; i < found->n_notes; i++)
    if (strstr(found->notes[i], a) && strstr(found->notes[i], b)) return true;
  return false;
}

START_TEST(no_driver) {
  const struct skp_device_list *found = list_with_drivers();
  const struct skp_device *d;
  ck_assert_int_eq((int)found->n, 0);
  ck_fails(skp__devices_choose(&d, NULL, found, NULL, NULL, NULL), SKP_NO_DEVICE, "pocl-opencl-icd");
}
END_TEST

START_TEST(no_folder) {
  const struct skp_device_list *found;
  setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
  ck_ok(skp__devices_list(&found));
  ck_assert_int_eq((int)found->n, 0);
}
END_TEST

START_TEST(crashing_and_hanging_drivers_are_named) {
  install("a-crash", "CRASH");
  install("b-none", "NONE");
  install("c-hang", "HANG");
  const struct skp_device_list *found = list_with_drivers(), *again;
  ck_assert(noted(found, "a-crash.icd", "SIGABRT"));
  ck_assert(noted(found, "c-hang.icd", "did not answer"));
  ck_assert(!noted(found, "b-none.icd", ""));
  ck_ok(skp__devices_list(&again)); /* known by now; nothing is tried twice */
  ck_assert_ptr_eq(found, again);
}
END_TEST

/* ---- graphics chips without a driver ----------------------------------------------------------------------------- */

static char root[] = "/tmp/skipper-test-XXXXXX";

static void lay_out(const char *script) {
  char command[2000];
  snprintf(
      command, sizeof command,
      "cd %s && pci() { d=sys/bus/pci/devices/$1; mkdir -p $d/drm dev/dri etc/OpenCL/vendors; echo $2 "
      ">$d/class; echo $3 "
      ">$d/vendor; echo $4 >$d/device; [ -z \"$5\" ] || ln -s ../../bus/pci/drivers/$5 $d/driver; [ -z \"$6\" ] || { "
      "mkdir $d/drm/$6; >dev/dri/$6; }; } && %s",
      root, script);
  ck_assert_int_eq(system(command), 0);
}

static void fresh_root(void) {
  ck_assert_ptr_nonnull(mkdtemp(root));
  unsetenv("OCL_ICD_VENDORS");
  unsetenv("RUSTICL_ENABLE");
  list = (struct skp_device_list){0};
}

static void remove_root(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", root);
  ck_assert_int_eq(system(command), 0);
}

/* The one GPU that lacks something. */
static void lacks(const char *name, const char *why, const char *remedy, const char *package) {
  list.n_gpus = 0;
  skp__hardware_find(&list, root);
  ck_assert_uint_eq(list.n_gpus, 1);
  ck_assert_str_eq(list.gpus[0].name, name);
  ck_assert_str_eq(list.gpus[0].why, why);
  ck_assert_str_eq(list.gpus[0].remedy, remedy);
  ck_assert_str_eq(list.gpus[0].package, package);
}

static size_t lacking(void) {
  list.n_gpus = 0;
  skp__hardware_find(&list, root);
  return list.n_gpus;
}

START_TEST(no_gpu) {
  ck_assert_uint_eq(lacking(), 0); /* no /sys at all */
  lay_out("pci 0000:00:01.0 0x030000 0x1234 0x1111 bochs card0; pci 0000:00:02.0 0x020000 0x8086 0x1000 e1000; "
          "pci 0000:00:03.0 0x030000 0x1002 0x73bf vfio-pci");
  ck_assert_uint_eq(lacking(), 0); /* a virtual machine's screen, a network card, a GPU that was handed on */
}
END_TEST

START_TEST(packages) {
  lay_out("pci 0000:03:00.0 0x030000 0x1002 0x73bf amdgpu renderD128");
  lacks("AMD GPU 1002:73bf at 0000:03:00.0", "no OpenCL driver for it is installed", "sudo apt install mesa-opencl-icd",
        "mesa-opencl-icd");
  lay_out("rm -r sys && pci 0000:00:02.0 0x038000 0x8086 0x9a49 i915 renderD128");
  lacks("Intel GPU 8086:9a49 at 0000:00:02.0", "no OpenCL driver for it is installed",
        "sudo apt install intel-opencl-icd", "intel-opencl-icd");
  lay_out("rm -r sys && pci 0000:01:00.0 0x030200 0x10de 0x2204 nouveau renderD128");
  lacks("NVIDIA GPU 10de:2204 at 0000:01:00.0", "the system runs it with nouveau, not with nvidia",
        "sudo apt install nvidia-driver nvidia-opencl-icd, then restart", "nvidia-driver nvidia-opencl-icd");
  lay_out(">etc/OpenCL/vendors/nvidia.icd");
  lacks("NVIDIA GPU 10de:2204 at 0000:01:00.0", "the system runs it with nouveau, not with nvidia",
        "sudo apt install nvidia-driver, then restart", "nvidia-driver");
}
END_TEST

START_TEST(nodes_and_variables) {
  lay_out("pci 0000:03:00.0 0x030000 0x1002 0x73bf amdgpu renderD129; >etc/OpenCL/vendors/rusticl.icd");
  setenv("RUSTICL_ENABLE", "iris, llvmpipe", 1);
  lacks("AMD GPU 1002:73bf at 0000:03:00.0", "RUSTICL_ENABLE=iris, llvmpipe does not name its driver",
        "RUSTICL_ENABLE=radeonsi", "");
  setenv("RUSTICL_ENABLE", "iris,radeonsi", 1);
  lacks("AMD GPU 1002:73bf at 0000:03:00.0", "its OpenCL driver is installed and lists no device",
        "a newer mesa-opencl-icd may know it", "");
  lay_out("rm dev/dri/renderD129");
  lacks("AMD GPU 1002:73bf at 0000:03:00.0", "there is no /dev/dri/renderD129",
        "in a container, hand it in (docker run --device /dev/dri/renderD129; NVIDIA: docker run --gpus all)", "");
}
END_TEST

/* Those that a driver lists: by place, or where it does not say that, by vendor. */
START_TEST(listed_ones_lack_nothing) {
  lay_out("pci 0000:03:00.0 0x030000 0x1002 0x73bf amdgpu renderD128; pci 0000:04:00.0 0x030000 0x1002 0x73bf "
          "amdgpu renderD129");
  ck_assert_uint_eq(lacking(), 2);
  struct skp_device *d = add(0, 0, "rusticl", "Radeon RX 6800", "GPU");
  snprintf(d->bus, sizeof d->bus, "0000:03:00.0");
  ck_assert_uint_eq(lacking(), 1);
  *d->bus = 0;
  ck_assert_uint_eq(lacking(), 0);
  snprintf(d->type, sizeof d->type, "CPU");
  ck_assert_uint_eq(lacking(), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("devices");
  TCase *choosing = tcase_create("choosing"), *listing = tcase_create("listing"), *chips = tcase_create("chips");
  tcase_add_checked_fixture(choosing, fill, NULL);
  tcase_add_test(choosing, best_is_a_gpu_of_its_own_with_most_memory);
  tcase_add_test(choosing, by_index);
  tcase_add_test(choosing, by_name);
  tcase_add_test(choosing, by_kind);
  tcase_add_test(choosing, by_speed);
  tcase_add_test(choosing, twins);
  tcase_add_test(choosing, twins_by_bus);
  tcase_add_test(choosing, which_are_meant);
  tcase_add_test(choosing, several_are_listed);
  tcase_add_test(choosing, none_lists_what_there_is);
  tcase_add_test(choosing, unusable_are_not_chosen);
  tcase_add_checked_fixture(listing, fresh_folder, remove_folder);
  tcase_set_timeout(listing, 60);
  tcase_add_test(listing, no_driver);
  tcase_add_test(listing, no_folder);
  tcase_add_test(listing, crashing_and_hanging_drivers_are_named);
  tcase_add_checked_fixture(chips, fresh_root, remove_root);
  tcase_add_test(chips, no_gpu);
  tcase_add_test(chips, packages);
  tcase_add_test(chips, nodes_and_variables);
  tcase_add_test(chips, listed_ones_lack_nothing);
  suite_add_tcase(suite, choosing);
  suite_add_tcase(suite, chips);
  suite_add_tcase(suite, listing);
  return skp__test_main(suite);
}
