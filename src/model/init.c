/* init.c: parameters: their first values, and their layout in files. SPDX-License-Identifier: MIT
 *
 * In memory a weight is {R, S, C, K}; in files PyTorch's {K, C, R, S}, which for a linear layer on a flattened map are
 * the rows of K × C·R·S. */
#include "base/random.h"
#include "base/thread.h"
#include "model/model.h"
#include <math.h>
#include <string.h>

int skp__param_file_shape(const struct skp_tensor *t, int64_t dim[4]) {
  const int64_t *d = t->shape.dim;
  if (t->file_rank == 4) memcpy(dim, (int64_t[]){d[3], d[2], d[0], d[1]}, 4 * sizeof *dim);
  if (t->file_rank == 2) memcpy(dim, (int64_t[]){d[3], d[2] * d[0] * d[1]}, 2 * sizeof *dim);
  if (t->file_rank == 3) memcpy(dim, (int64_t[]){d[0], 1, 1}, 3 * sizeof *dim);
  if (t->file_rank < 2) memcpy(dim, d, (size_t)t->shape.rank * sizeof *dim);
  return t->file_rank < 2 ? t->shape.rank : t->file_rank;
}

/* Where element m in memory stands in the file. */
static int64_t file_index(const struct skp_tensor *t, int64_t m) {
  if (t->shape.rank < 4) return m;
  const int64_t *d = t->shape.dim; /* {R, S, C, K} */
  int64_t k = m % d[3], c = m / d[3] % d[2], rs = m / d[3] / d[2];
  return (k * d[2] + c) * d[0] * d[1] + rs;
}

void skp__param_to_file(float *file, const float *memory, const struct skp_tensor *t) {
  int64_t n = skp__shape_count(&t->shape);
  for (int64_t m = 0; m < n; m++) file[file_index(t, m)] = memory[m];
}

void skp__param_from_file(float *memory, const float *file, const struct skp_tensor *t) {
  int64_t n = skp__shape_count(&t->shape);
  for (int64_t m = 0; m < n; m++) memory[m] = file[file_index(t, m)];
}

/* ---- first values ----------------------------------------------------------------------------------------------- */

static uint64_t name_hash(const char *name) { /* FNV-1a */
  uint64_t h = 14695981039346656037u;
  for (; *name; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
  return h;
}

/* One of CHUNKS equal pieces of each parameter, and so of the work: drawing twenty
 * million numbers takes half a second. */
enum { CHUNKS = 4 };

struct chunk {
  const struct skp_graph *g;
  float *params, *state;
  uint64_t seed;
  int number;
};

/* The draw for an element depends on its place in the file, so it is the same whatever the layout in memory. */
static void init_tensor(const struct chunk *s, float *memory, const struct skp_tensor *t) {
  const int64_t n = skp__shape_count(&t->shape), end = n * (s->number + 1) / CHUNKS;
  const uint64_t stream = name_hash(t->name);
  for (int64_t m = n * s->number / CHUNKS; m < end; m++) {
    struct skp__random r = {s->seed, stream, (uint64_t)file_index(t, m)};
    if (t->values) {
      memory[m] = t->values[r.index];
    } else if (t->bound > 0) {
      memory[m] = (float)skp__random_between(&r, -t->bound, t->bound);
    } else if (t->std > 0) {
      r.index *= 2; /* a normal number takes two draws */
      memory[m] = t->std * (float)skp__random_normal(&r);
    } else {
      memory[m] = t->fill;
    }
  }
}

static void *init_chunk(void *chunk) {
  const struct chunk *s = chunk;
  for (size_t i = 0; i < s->g->tensors.n; i++) {
    const struct skp_tensor *t = &s->g->tensors.at[i];
    if (t->base == SKP_NONE) continue;
    if (t->role == SKP_ROLE_PARAM) init_tensor(s, s->params + t->offset, t);
    if (t->role == SKP_ROLE_STATE) init_tensor(s, s->state + t->offset, t);
  }
  return NULL;
}

void skp__model_init(const struct skp_graph *g, float *params, float *state, uint64_t seed) {
  struct chunk chunk[CHUNKS];
  pthread_t thread[CHUNKS];
  bool started[CHUNKS];
  for (int i = 0; i < CHUNKS; i++) {
    chunk[i] = (struct chunk){g, params, state, seed, i};
    started[i] = i > 0 && !skp__thread_start(&thread[i], init_chunk, &chunk[i]);
  }
  for (int i = 0; i < CHUNKS; i++)
    if (!started[i]) init_chunk(&chunk[i]);
  for (int i = 0; i < CHUNKS; i++)
    if (started[i]) pthread_join(thread[i], NULL);
}
