/* tickets.h: what is in flight. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_TICKETS_H
#define SKP_BACKEND_OPENCL_TICKETS_H

#include "backend/opencl/cl.h"

skp_status skp__cl_tickets_create(struct skp__cl *cl, const struct skp_backend_options *options);
void skp__cl_tickets_destroy(struct skp__cl *cl);
/* Notes that `name` (a literal) was enqueued; now and then takes a ticket of its own,
 * and waits where too much is queued. */
skp_status skp__cl_launched(struct skp__cl *cl, const char *name);
skp_status skp__cl_ticket(struct skp_backend *b, uint64_t *out);
void skp__cl_drain(struct skp_backend *b);
skp_status skp__cl_wait(struct skp_backend *b, uint64_t ticket);

#endif
