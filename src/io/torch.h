/* torch.h: what torch_dictionary.c finds for torch.c. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_TORCH_H
#define SKP_IO_TORCH_H

#include "io/pickle.h"

/* The dictionary of weights of a pickle that torch.save wrote. A failure says what the file, `name`, holds instead. */
skp_status skp__torch_dictionary(const struct skp_pickle_node **out, const struct skp_pickle *p, const char *name);
/* The arguments of the call that makes a tensor, which begin with storage, offset, size, stride; NULL: the node is
 * none. */
const struct skp_pickle_node *skp__torch_tensor(const struct skp_pickle *p, const struct skp_pickle_node *node);

#endif
