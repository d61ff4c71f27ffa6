/* method.h: which method an op gets. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_METHOD_H
#define SKP_BACKEND_OPENCL_METHOD_H

#include "backend/opencl/launch.h"

/* Checks "OP=METHOD,…" (SKP_USAGE with what there is). */
skp_status skp__cl_forced_check(const char *forced);
/* Gives `p` the method `forced`, or without one `first` (NULL: none), or else the best of `table`; what was refused
 * goes to the trace or into the error. */
skp_status skp__cl_choose(struct skp_prepared *p, const struct skp__cl_method *table,
                          const struct skp__cl_method *forced, const struct skp__cl_method *first);
/* Slots of the backend. */
skp_status skp__cl_prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                           const char *method);
void skp__cl_prepared_destroy(struct skp_prepared *p);
int64_t skp__cl_workspace(const struct skp_prepared *p);
size_t skp__cl_launches(const struct skp_prepared *p);
int skp__cl_parts(const struct skp_prepared *p);
int64_t skp__cl_kept(const struct skp_prepared *p);
const char *skp__cl_method_of(const struct skp_prepared *p);
double skp__cl_tolerance(const struct skp_prepared *p);
const char *skp__cl_method_name(const struct skp_backend *b, const struct skp_op *op, int n);
const char *skp__cl_method_refusal(struct skp_backend *b, const struct skp_sig *sig, int n);
bool skp__cl_method_suits(const struct skp_backend *b, const struct skp_op *op, int n);
bool skp__cl_compiled(struct skp_backend *b, const struct skp_sig *sig, const char *method);
uint64_t skp__cl_kernels_of(struct skp_backend *b, const struct skp_sig *sig, const char *method);

#endif
