/* weights.c: which format a file of weights has; see weights.h. SPDX-License-Identifier: MIT */
#include "io/weights.h"
#include "base/array.h"
#include "base/file.h"
#include "io/onnx.h"
#include <stdlib.h>
#include <string.h>

static const int64_t file_limit = INT64_C(8) << 30; /* read whole; far above any network's weights */

/* ---- formats ----------------------------------------------------------------------------------------------------- */

/* The number with which torch.save began its files before version 1.6 stands near their
 * begin: in binary, or (protocols 0 and 1) as text. */
static bool is_old(const char *bytes, int64_t size) {
  static const struct {
    const char *text;
    int length;
  } magic[] = {{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10}, {"119547037146038801333356L", 25}};
  bool found = false;
  for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
    for (int64_t at = 0; at < 24 && at + magic[i].length <= size; at++)
      found = found || !memcmp(bytes + at, magic[i].text, (size_t)magic[i].length);
  return found;
}

/* Python's own reader of such files runs what they hold, and its careful one takes only some. */
static skp_status fail_old(const char *name) {
  return skp__fail(SKP_UNSUPPORTED,
                   "%s is in torch.save's format from before PyTorch 1.6. If you trust where it is from, this line of "
                   "Python converts it: import torch; torch.save(torch.load(\"%s\", map_location=\"cpu\", "
                   "weights_only=False), \"%s.new.pth\")",
                   name, name, name);
}

/* What else is found under the name of a file of weights, by how it begins. */
static const struct {
  const char *begin, *is;
} others[] = {
    {"version https://git-lfs", "a pointer of Git LFS, not the file itself, which git lfs pull fetches"},
    {"<", "a web page, not the file itself: it was downloaded from the wrong address"},
    {"\x89HDF", "an HDF5 file, as Keras writes them. Save the weights as safetensors"},
    {"GGUF", "a GGUF file. Save the weights as safetensors"},
    {"\x1f\x8b", "compressed with gzip. Unpack it first"},
    {"\x80", "a pickle, but none of torch.save. If you trust where it is from, this line of Python converts it: "
             "import pickle, torch; torch.save({k: torch.as_tensor(v) for k, v "
             "in pickle.load(open(FILE, \"rb\")).items()}, \"weights.pth\")"},
};

/* For bytes that are not safetensors: those have the length of a text and the text, an object. */
static skp_status fail_other(const char *bytes, int64_t size, const char *name) {
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    size_t n = strlen(others[i].begin);
    if (size >= (int64_t)n && !memcmp(bytes, others[i].begin, n))
      return skp__fail(SKP_UNSUPPORTED, "%s is %s.", name, others[i].is);
  }
  return SKP_OK;
}

/* `folder`: where the file lies; NULL: nowhere. */
static skp_status parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name,
                        const char *folder) {
  *out = (struct skp_st_file){0};
  const char *text = bytes;
  if (skp__onnx_found(bytes, size)) return skp__onnx_parse(out, bytes, size, name, folder);
  if (skp__torch_found(bytes, size)) return skp__torch_parse(out, bytes, size, name);
  if (is_old(bytes, size)) return fail_old(name);
  if (size < 9 || text[8] != '{') SKP_TRY(fail_other(bytes, size, name));
  return skp__st_parse(out, bytes, size, name);
}

skp_status skp__weights_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name) {
  return parse(out, bytes, size, name, NULL);
}

skp_status skp__weights_read(struct skp_st_file *out, const char *path) {
  void *bytes;
  int64_t size;
  *out = (struct skp_st_file){0};
  SKP_TRY(skp__file_read(&bytes, &size, path, file_limit));
  char *folder;
  skp_status status = skp__path_folder(&folder, path);
  if (status == SKP_OK) status = parse(out, bytes, size, path, folder);
  free(folder);
  free(bytes);
  return status;
}
