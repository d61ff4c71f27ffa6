/* cl.h: inside the OpenCL backend: the open device, programs, and the tables of methods.
 * Only this folder includes CL headers.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_CL_H
#define SKP_BACKEND_OPENCL_CL_H

#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include "backend/backend.h"
#include "backend/opencl/watch.h"
#include "base/array.h"
#include <CL/cl.h>

struct skp__cl_program; /* a built program: one file of cl/ with one set of options */
struct skp__cl_tickets; /* what is in flight */
struct skp__cl_cache;   /* built programs on disk */
struct skp__cl_compilers;
struct skp__cl_record; /* of what is queued, for a trace */
struct skp__cl_jobs;   /* programs to compile ahead */

/* The open device. What a method may want to know stands first. */
struct skp__cl {
  struct skp_backend base;
  struct skp__watch watch;
  /* Work-groups of one work-item and explicit vectors are fast here; else local memory is: on GPUs, and on CPUs whose
   * driver makes vectors of work-items (llvmpipe), which have no vector width of their own. */
  bool cpu;
  int lanes;            /* floats in a vector of the hardware */
  bool bf16_dot;        /* the host's own CPU, with instructions for bfloat16 that the compiler lets through */
  bool amx;             /* the same of products of tiles, which the system allows this process */
  bool plain_tiles;     /* the same in plain C compiles in seconds; llvmpipe takes six minutes, and makes NaN */
  int units;            /* compute units */
  unsigned vendor;      /* PCI's number of the vendor: 0x10de; some drivers invent one */
  size_t max_group;     /* the device's limit of work-items in a group; a kernel's own may be lower */
  size_t max_items[3];  /* the same along each dimension */
  int64_t local_memory; /* bytes */
  int64_t max_allocation, memory, used;
  int64_t alignment; /* bytes at which a sub-buffer may begin */
  int c_version;     /* OpenCL C of the device, times 100: 120, 200, 300 */
  char name[160], driver[256], platform[160];
  cl_platform_id platform_id;
  cl_device_id device;
  cl_device_id part; /* `device` if it is a part of the listed one (`threads`), else NULL */
  cl_context context;
  cl_command_queue queue;        /* in order */
  struct skp__cl_record *record; /* NULL: nothing is recorded */
  struct skp__cl_jobs *noting;   /* not NULL: launches are checked and noted here, not made */
  bool said_limit;               /* that kernels want larger groups or more local memory than there are */
  bool lost;                     /* the context failed: nothing read from it is to be trusted */
  bool hung; /* it did not finish in time: the driver would wait for ever if asked to release things */
  SKP_ARRAY(struct skp__cl_program) programs;
  struct skp__cl_tickets *tickets;
  struct skp__cl_cache *cache;         /* NULL: none */
  struct skp__cl_compilers *compilers; /* NULL: none */
  char *forced;                        /* "OP=METHOD,…", "" for none */
  FILE *trace, *report;                /* NULL: nowhere */
};

/* instructions.c: whether the CPU that runs this program multiplies bfloat16, and tiles of it, which the system then
 * allows the process. */
bool skp__cl_host_has_bf16(void);
bool skp__cl_host_has_amx(void);

/* ---- errors ----------------------------------------------------------------------------------------------------- */
const char *skp__cl_error_name(cl_int code); /* "CL_INVALID_WORK_GROUP_SIZE"; vendors' own: "code -9999" */
/* Turns a code into an error text ("clEnqueueNDRangeKernel conv2d_direct on DEVICE: CL_OUT_OF_RESOURCES. …"),
 * SKP_DEVICE_MEMORY for memory shortage, and marks the context lost where the code means
 * that. CL_SUCCESS gives SKP_OK. */
skp_status skp__cl_check(struct skp__cl *cl, cl_int code, const char *call, const char *what);
/* The same for a call that makes memory or queues work: CL_OUT_OF_RESOURCES then is a shortage too, and the context
 * lives. */
skp_status skp__cl_check_queued(struct skp__cl *cl, cl_int code, const char *call, const char *what);

/* The same for one that makes a kernel: what that lacks, smaller steps would lack too. SKP_BUILD, so that the next
 * method is tried. */
skp_status skp__cl_check_made(struct skp__cl *cl, cl_int code, const char *call, const char *what);

/* Every call into the driver but mere questions is made within these, so that the watchdog can name the one that does
 * not return. `name` and `what` are literals; `call` is an expression whose value is the call's code. */
#define SKP_CALL(cl, name, what, call)                                                                                 \
  (skp__watch_begin(&(cl)->watch, name, what), skp__watch_end(&(cl)->watch, (int)(call)))
#define SKP_CHECK(cl, name, what, call)        skp__cl_check(cl, SKP_CALL(cl, name, what, call), name, what)
#define SKP_CHECK_QUEUED(cl, name, what, call) skp__cl_check_queued(cl, SKP_CALL(cl, name, what, call), name, what)
#define SKP_CHECK_MADE(cl, name, what, call)   skp__cl_check_made(cl, SKP_CALL(cl, name, what, call), name, what)

/* SKP_DEVICE once the context is lost. Every slot that talks to the device begins with it. */
skp_status skp__cl_alive(struct skp__cl *cl);

/* ---- programs and launches -------------------------------------------------------------------------------------- */

typedef enum skp__cl_kind {
  SKP_CL_IN,     /* the buffer of input `number`, … */
  SKP_CL_OUT,    /* … or of that output; if it is absent, of any present value: the kernel must not touch it then */
  SKP_CL_WORK,   /* the workspace */
  SKP_CL_KEPT,   /* what skp__cl_keep gave */
  SKP_CL_ABSENT, /* any present value: a buffer that the kernel does not touch */
  SKP_CL_INT,
  SKP_CL_FLOAT
} skp__cl_kind;

/* An argument of a kernel: the parameter's name, and what it gets. */
struct skp__cl_arg {
  const char *name;
  skp__cl_kind kind;
  union {
    int number; /* of the input or output */
    cl_int as_int;
    cl_float as_float;
  };
};

/* SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, count), …). A value of another type does not compile. */
#define SKP_IN(name, i)  ((struct skp__cl_arg){#name, SKP_CL_IN, {.number = (i)}})
#define SKP_OUT(name, i) ((struct skp__cl_arg){#name, SKP_CL_OUT, {.number = (i)}})
#define SKP_WORK(name)   ((struct skp__cl_arg){#name, SKP_CL_WORK, {0}})
#define SKP_KEPT(name)   ((struct skp__cl_arg){#name, SKP_CL_KEPT, {0}})
#define SKP_ABSENT(name) ((struct skp__cl_arg){#name, SKP_CL_ABSENT, {0}})
#define SKP_INT(name, value)                                                                                           \
  ((struct skp__cl_arg){#name, SKP_CL_INT, {.as_int = _Generic((value), int : (value), bool : (value))}})
#define SKP_FLOAT(name, value)                                                                                         \
  ((struct skp__cl_arg){#name, SKP_CL_FLOAT, {.as_float = _Generic((value), float : (value))}})
#define SKP_ARGS(...) ((const struct skp__cl_arg[]){__VA_ARGS__, {0}})

/* In a method's prepare: adds the launch of kernel `kernel` of cl/FILE.cl, compiled with `options` ("-DC=4 -DK=8";
 * programs are shared by equal file and options, kept in memory and on disk). Kernels that take in maps.clh are told
 * if the op's maps are bfloat16. `file` and `kernel` are literals.
 * `global` is rounded up to a multiple of `local` by the caller; `local` NULL: the kernel neither cares for groups nor
 * minds some work-items too many along its first dimension, and both are left to the runtime, which fits any device.
 * dims 1 … 3. `args`: the kernel's arguments, SKP_ARGS(…), by its names and in its order; they are checked against its
 * parameters. SKP_UNSUPPORTED if the kernel cannot run with so large a group: the next method is then tried. */
skp_status skp__cl_launch(struct skp_prepared *p, const char *file, const char *kernel, const char *options, int dims,
                          const size_t *global, const size_t *local, const struct skp__cl_arg *args);

/* Adds a step that is not a kernel of ours (CLBlast): `call` runs at each launch with the buffers then bound, as
 * cl_mem, NULL where absent. `data` (may be NULL) is freed with the op. */
typedef skp_status (*skp__cl_call)(struct skp__cl *cl, const struct skp_sig *sig, const cl_mem *in, const cl_mem *out,
                                   cl_mem workspace, const void *data);
skp_status skp__cl_add_call(struct skp_prepared *p, const char *name, skp__cl_call call, void *data);

/* Says how many bytes of workspace all launches of this op need together (the largest that was said counts). */
void skp__cl_need_workspace(struct skp_prepared *p, int64_t bytes);

/* Says that a weight gradient, without db, is a sum in as many parts, those of conv2d_dw_parts, which its last launch
 * adds: a plan may have those of several layers added at once. */
void skp__cl_in_parts(struct skp_prepared *p, int parts);

/* A place, SKP_KEPT, for what an op makes of its weights alone (packed, transformed). Where weights are constant it is
 * memory of its own, true is said, and the launches that fill it run only when the weights have changed; else, or if it
 * were much, it is the beginning of the workspace. */
bool skp__cl_keep(struct skp_prepared *p, int64_t bytes);
/* The last launch reads weights alone, and what it writes is kept, or the plan's to keep. */
void skp__cl_of_weights(struct skp_prepared *p);

struct skp__cl *skp__cl_of(struct skp_prepared *p);

/* The least multiple of `step` that is at least n: global sizes. */
static inline size_t skp__cl_round_up(int64_t n, int64_t step) { return (size_t)((n + step - 1) / step * step); }

/* ---- methods ---------------------------------------------------------------------------------------------------- */

enum {
  SKP_CL_CPU = 1,
  SKP_CL_GPU = 2,
  SKP_CL_ANY = 3,
  SKP_CL_AMX = 4,        /* CPUs that multiply tiles of bfloat16; others as far as `plain_tiles` */
  SKP_CL_NARROW = 8,     /* knows maps in bfloat16 */
  SKP_CL_STATISTICS = 16 /* makes statistics of a map, or takes them */
};

/* One way to do an op. An op file (conv2d.c, …) has one table of them for each op, best first, the plain one that takes
 * everything last. The default is the first that suits the kind of device and does not
 * refuse; failing that the first that does not refuse. */
struct skp__cl_method {
  const char *name;
  /* SKP_CL_CPU | SKP_CL_GPU, or SKP_CL_AMX: where it is a good idea. It must be *right* everywhere, but those for CPUs
   * alone are refused elsewhere: their large private arrays keep other compilers busy for minutes. Without
   * SKP_CL_NARROW it is in float32 alone, without SKP_CL_STATISTICS for calls without them. */
  unsigned suits;
  /* (optional) NULL when it can, else the reason in a few words. NULL slot: takes everything. */
  const char *(*refuse)(const struct skp__cl *cl, const struct skp_sig *sig);
  skp_status (*prepare)(struct skp_prepared *p, const struct skp_sig *sig);
  double tolerance; /* for what its arithmetic costs beyond sums in float; see the slot in backend.h */
};

/* A `refuse` for kernels that count in int: refuses values of more than 2^31 - 4096 elements. */
const char *skp__cl_refuse_huge(const struct skp__cl *cl, const struct skp_sig *sig);

/* Each op's table, ended by name = NULL; flatten's is NULL (a view). One line an op in method.c comes from ops.def. */
#define X(op) extern const struct skp__cl_method skp__cl_##op[];
#include "ops/ops.def"
#undef X

/* ---- kernels embedded at build time: cl/NAME.cl ----------------------------------------------------------------- */
struct skp__cl_source {
  const char *name; /* "conv2d_direct" */
  const char *text;
};
extern const struct skp__cl_source skp__cl_sources[]; /* ended by name = NULL; generated by cmake/embed.cmake */

/* What the kernels in them take. */
struct skp__cl_parameter {
  const char *name, *type; /* "bias", "global const float *" */
};
struct skp__cl_kernel {
  const char *file, *name;
  const struct skp__cl_parameter *parameters; /* ended by name = NULL */
};
extern const struct skp__cl_kernel skp__cl_kernels[]; /* ended by name = NULL; generated by cmake/parameters.cmake */

#endif
