/* record.h: what is queued, noted in the trace that is being recorded (base/trace.h). SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_RECORD_H
#define SKP_BACKEND_OPENCL_RECORD_H

#include "backend/opencl/cl.h"

/* A slot of the backend. */
skp_status skp__cl_record(struct skp_backend *b, bool on);
/* Where the event of what is queued next goes, to be given to that call. NULL: nothing is recorded. */
cl_event *skp__cl_recorded(struct skp__cl *cl, const char *kind, const char *name, const char *detail);
/* The same of a call into a library, which has no event: it is begun and ended by markers. */
skp_status skp__cl_record_begin(struct skp__cl *cl, const char *name, const char *detail);
skp_status skp__cl_record_end(struct skp__cl *cl);
/* What is done by now goes into the trace. */
void skp__cl_record_take(struct skp__cl *cl);
/* Of a device that is closed. */
void skp__cl_record_free(struct skp__cl *cl);

#endif
