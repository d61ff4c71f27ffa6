/* hardware.c: graphics chips that the system knows and no OpenCL driver shows, and what each lacks. Read from /sys,
 * /dev and the folder of drivers below a root folder, so that any machine can be laid out in files.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/file.h"
#include "base/names.h"
#include "base/pattern.h"
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* X(PCI vendor, name, names in what drivers say, package, its files, kernel's drivers, their package, Mesa's driver,
 * device nodes, remark). Nodes: "render" stands for /dev/dri/renderD* of the chip, a
 * question mark for one that need not be there. */
#define VENDORS(X)                                                                                                     \
  X(0x1002, "AMD", "AMD|Advanced Micro|Radeon", "mesa-opencl-icd", "{rusticl,mesa,amdocl*}.icd", "amdgpu",             \
    "firmware-amd-graphics", "radeonsi", "render ?/dev/kfd", "(or ROCm, from AMD)")                                    \
  X(0x8086, "Intel", "Intel", "intel-opencl-icd", "{intel,intel-*,rusticl}.icd", "i915 xe", "firmware-misc-nonfree",   \
    "iris", "render", "")                                                                                              \
  X(0x10de, "NVIDIA", "NVIDIA", "nvidia-opencl-icd", "nvidia*.icd", "nvidia", "nvidia-driver", "", "/dev/nvidiactl",   \
    "(Debian: from non-free; Ubuntu: in nvidia-driver-NNN)")

static const struct vendor {
  unsigned id;
  const char *name, *said, *package, *files, *kernel, *kernel_package, *mesa, *nodes;
} vendors[] = {
#define X(id, name, said, package, files, kernel, kernel_package, mesa, nodes, remark)                                 \
  {id, name, said, package, files, kernel, kernel_package, mesa, nodes},
    VENDORS(X)
#undef X
};
enum { N_VENDORS = sizeof vendors / sizeof *vendors };

const char *skp__devices_advice(void) {
  return "There is no usable OpenCL device. The driver for yours is in one of these packages (Debian, Ubuntu):\n"
         "  any CPU     sudo apt install pocl-opencl-icd\n"
#define X(id, name, said, package, files, kernel, kernel_package, mesa, nodes, remark)                                 \
  "  " name " GPU  sudo apt install " package " " remark "\n"
      VENDORS(X)
#undef X
          "A GPU must also be open to you: sudo usermod -aG render,video $USER, then log in again.";
}

/* One chip: what the system says of it. */
struct chip {
  const char *root;
  const struct vendor *vendor;
  char bus[24], sys[700]; /* its folder */
  char kernel[64];        /* the kernel's driver, "" without one */
  unsigned id;
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static unsigned read_hex(const struct chip *c, const char *name) {
  char path[768], text[32] = "";
  int64_t n = 0;
  snprintf(path, sizeof path, "%s/%s", c->sys, name);
  if (skp__file_head(text, sizeof text - 1, &n, path) != SKP_OK) return 0;
  return (unsigned)strtoul(text, NULL, 16);
}

static void read_kernel_driver(struct chip *c) {
  char path[768], target[512] = "";
  snprintf(path, sizeof path, "%s/driver", c->sys);
  if (readlink(path, target, sizeof target - 1) < 0) return;
  const char *slash = strrchr(target, '/');
  snprintf(c->kernel, sizeof c->kernel, "%.60s", slash ? slash + 1 : target);
}

/* Whether it is a display controller of a vendor in the table; those of servers and
 * virtual machines only show pictures. */
static bool read_chip(struct chip *c, const char *root, const char *bus) {
  enum { DISPLAY = 0x03 };
  *c = (struct chip){.root = root};
  snprintf(c->bus, sizeof c->bus, "%.20s", bus);
  snprintf(c->sys, sizeof c->sys, "%.600s/sys/bus/pci/devices/%s", root, c->bus);
  if (read_hex(c, "class") >> 16 != DISPLAY) return false;
  unsigned id = read_hex(c, "vendor");
  for (int i = 0; i < N_VENDORS; i++)
    if (vendors[i].id == id) c->vendor = &vendors[i];
  c->id = read_hex(c, "device");
  read_kernel_driver(c);
  return c->vendor && strcmp(c->kernel, "vfio-pci") != 0; /* that one belongs to a virtual machine */
}

/* ---- is it listed? ---------------------------------------------------------------------------------------------- */

/* Whether `text` has one of the words between bars. */
static bool says(const char *text, const char *words) {
  char list[128];
  snprintf(list, sizeof list, "%s", words);
  for (char *rest, *word = strtok_r(list, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
    if (skp__text_has(text, word)) return true;
  return false;
}

/* A driver that does not say where its GPU is plugged in is believed to mean any of its vendor. */
static bool is_listed(const struct chip *c, const struct skp_device_list *list) {
  for (size_t i = 0; i < list->n; i++) {
    const struct skp_device *d = &list->at[i];
    if (strcmp(d->type, "GPU") != 0) continue;
    if (*d->bus ? !strcmp(d->bus, c->bus) : says(d->vendor, c->vendor->said) || says(d->name, c->vendor->said))
      return true;
  }
  return false;
}

/* ---- what is missing -------------------------------------------------------------------------------------------- */

/* The folder of drivers below the root, unless the user names one. */
static bool driver_installed(const struct chip *c, const char *files) {
  const char *own = skp__environment_get("OCL_ICD_VENDORS");
  char pattern[1024];
  glob_t found;
  if (own && *own)
    snprintf(pattern, sizeof pattern, "%.800s/%s", own, files);
  else
    snprintf(pattern, sizeof pattern, "%.800s/etc/OpenCL/vendors/%s", c->root, files);
  bool any = !glob(pattern, GLOB_BRACE, NULL, &found);
  globfree(&found);
  return any;
}

static bool has_word(const char *words, const char *word, const char *between) {
  char list[512];
  snprintf(list, sizeof list, "%.500s", words);
  for (char *rest, *at = strtok_r(list, between, &rest); at; at = strtok_r(NULL, between, &rest))
    if (!strcmp(at, word)) return true;
  return false;
}

/* Packages: the kernel's driver, OpenCL's, or both. */
static bool lacks_package(struct skp_gpu *g, const struct chip *c) {
  const struct vendor *v = c->vendor;
  bool kernel = has_word(v->kernel, c->kernel, " "), driver = driver_installed(c, v->files);
  char packages[sizeof g->package];
  if (kernel && driver) return false;
  snprintf(packages, sizeof packages, "%s%s%s", kernel ? "" : v->kernel_package, kernel || driver ? "" : " ",
           driver ? "" : v->package);
  if (kernel)
    snprintf(g->why, sizeof g->why, "no OpenCL driver for it is installed");
  else
    snprintf(g->why, sizeof g->why, "the system runs it with %s, not with %s", *c->kernel ? c->kernel : "no driver",
             v->kernel);
  snprintf(g->remedy, sizeof g->remedy, "sudo apt install %s%s", packages, kernel ? "" : ", then restart");
  memcpy(g->package, packages, sizeof packages);
  return true;
}

/* Whose group may open the node, and who asks. */
static void say_group(struct skp_gpu *g, const struct stat *st) {
  const struct group *group = st->st_gid ? getgrgid(st->st_gid) : NULL;
  const struct passwd *me = getpwuid(geteuid());
  snprintf(g->remedy, sizeof g->remedy, "sudo usermod -aG %.60s %.60s, then log in again",
           group ? group->gr_name : "render", me ? me->pw_name : "$USER");
}

/* `node`: below the root, as the user knows it. */
static bool node_closed(struct skp_gpu *g, const struct chip *c, const char *node, bool needed) {
  char path[768];
  struct stat st;
  snprintf(path, sizeof path, "%s%s", c->root, node);
  bool there = !stat(path, &st);
  if (!there && !needed) return false;
  if (!there) {
    snprintf(g->why, sizeof g->why, "there is no %.100s", node);
    snprintf(g->remedy, sizeof g->remedy,
             "in a container, hand it in (docker run --device %.100s; NVIDIA: docker run --gpus all)", node);
    return true;
  }
  if (!access(path, R_OK | W_OK)) return false;
  snprintf(g->why, sizeof g->why, "you may not open %.100s", node);
  say_group(g, &st);
  return true;
}

/* The chip's own /dev/dri/renderD*. */
static bool render_closed(struct skp_gpu *g, const struct chip *c) {
  char pattern[768], node[128];
  glob_t found;
  bool closed = false;
  snprintf(pattern, sizeof pattern, "%s/drm/renderD*", c->sys);
  int none = glob(pattern, 0, NULL, &found);
  for (size_t i = 0; !none && i < found.gl_pathc && !closed; i++) {
    snprintf(node, sizeof node, "/dev/dri%.100s", strrchr(found.gl_pathv[i], '/'));
    closed = node_closed(g, c, node, true);
  }
  globfree(&found);
  return closed;
}

static bool lacks_access(struct skp_gpu *g, const struct chip *c) {
  char nodes[128];
  bool closed = false;
  snprintf(nodes, sizeof nodes, "%s", c->vendor->nodes);
  for (char *rest, *at = strtok_r(nodes, " ", &rest); at && !closed; at = strtok_r(NULL, " ", &rest)) {
    bool optional = *at == '?';
    closed = strcmp(at, "render") ? node_closed(g, c, at + optional, !optional) : render_closed(g, c);
  }
  return closed;
}

static bool lacks_variable(struct skp_gpu *g, const struct chip *c) {
  const char *enabled = skp__environment_get("RUSTICL_ENABLE");
  if (!*c->vendor->mesa || !enabled || has_word(enabled, c->vendor->mesa, ", ")) return false;
  if (!driver_installed(c, "rusticl.icd")) return false;
  snprintf(g->why, sizeof g->why, "RUSTICL_ENABLE=%.60s does not name its driver", enabled);
  snprintf(g->remedy, sizeof g->remedy, "RUSTICL_ENABLE=%s", c->vendor->mesa);
  return true;
}

static void find_lack(struct skp_gpu *g, const struct chip *c) {
  snprintf(g->name, sizeof g->name, "%s GPU %04x:%04x at %s", c->vendor->name, c->vendor->id, c->id, c->bus);
  if (lacks_package(g, c) || lacks_access(g, c) || lacks_variable(g, c)) return;
  snprintf(g->why, sizeof g->why, "its OpenCL driver is installed and lists no device");
  snprintf(g->remedy, sizeof g->remedy, "a newer %s may know it", c->vendor->package);
}

void skp__hardware_find(struct skp_device_list *list, const char *root) {
  char folder[700];
  struct chip chip;
  skp__names names = {NULL, 0, 0};
  snprintf(folder, sizeof folder, "%.600s/sys/bus/pci/devices", root);
  (void)skp__names_in(&names, folder); /* where there is none, nothing is known */
  for (size_t i = 0; i < names.n && list->n_gpus < SKP_MAX_GPUS; i++) {
    if (!read_chip(&chip, root, names.at[i]) || is_listed(&chip, list)) continue;
    list->gpus[list->n_gpus] = (struct skp_gpu){.why = ""};
    find_lack(&list->gpus[list->n_gpus++], &chip);
  }
  skp__names_free(&names);
}
