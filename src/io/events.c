/* events.c: TensorBoard's event files: records of protobuf messages, each with checksums. SPDX-License-Identifier: MIT
 *
 * A record is the length in 8 bytes, its checksum, the message and its checksum; checksums are CRC-32C, turned by 15
 * bits and shifted by a constant, as TensorFlow's record files have them. */
#include "io/events.h"
#include "base/array.h"
#include "base/file.h"
#include "base/machine.h"
#include "io/log.h"
#include "io/png.h"
#include <events.pb-c.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct skp_events {
  char *path;
  struct skp_log *to;
};

/* ---- records ----------------------------------------------------------------------------------------------------- */

static uint32_t checksum(const void *data, size_t n) {
  const uint8_t *at = data;
  uint32_t crc = ~0u;
  for (size_t i = 0; i < n; i++) {
    crc ^= at[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* n bytes and their checksum; returns what follows them. */
static uint8_t *seal(uint8_t *at, size_t n) {
  const uint32_t sum = checksum(at, n);
  memcpy(at + n, &sum, sizeof sum);
  return at + n + sizeof sum;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static skp_status put_event(struct skp_events *e, Skp__Event *event) {
  event->has_wall_time = true;
  event->wall_time = now();
  const uint64_t bytes = skp__event__get_packed_size(event);
  uint8_t *record;
  SKP_TRY(skp__alloc(&record, sizeof bytes + bytes + 2 * sizeof(uint32_t), 1));
  memcpy(record, &bytes, sizeof bytes);
  uint8_t *message = seal(record, sizeof bytes);
  skp__event__pack(event, message);
  skp_status status = skp__log_put(e->to, record, (size_t)(seal(message, bytes) - record));
  free(record);
  return status;
}

static skp_status put_value(struct skp_events *e, int64_t step, Skp__SummaryValue *value) {
  Skp__Event event = SKP__EVENT__INIT;
  Skp__Summary summary = SKP__SUMMARY__INIT;
  summary.n_value = 1;
  summary.value = &value;
  event.has_step = true;
  event.step = step;
  event.summary = &summary;
  return put_event(e, &event);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static skp_status open_file(struct skp_events *e, const char *folder) {
  char host[64] = "host";
  skp__machine_name(host, sizeof host);
  SKP_TRY(skp__folder_create(folder));
  SKP_TRY(
      skp__format(&e->path, "%s/events.out.tfevents.%lld.%s.%ld", folder, (long long)time(NULL), host, (long)getpid()));
  return skp__log_create(&e->to, e->path, 0);
}

skp_status skp__events_open(struct skp_events **out, const char *folder) {
  struct skp_events *e;
  Skp__Event first = SKP__EVENT__INIT;
  *out = NULL;
  SKP_TRY(skp__alloc(&e, 1, sizeof *e));
  first.file_version = (char *)"brain.Event:2";
  skp_status status = open_file(e, folder);
  if (status == SKP_OK) status = put_event(e, &first);
  if (status == SKP_OK)
    *out = e;
  else
    skp__events_close(e);
  return status;
}

skp_status skp__events_flush(struct skp_events *e) { return e ? skp__log_flush(e->to) : SKP_OK; }

void skp__events_close(struct skp_events *e) {
  if (!e) return;
  skp__log_destroy(e->to);
  free(e->path);
  free(e);
}

void skp__events_forget(const struct skp_events *e) {
  if (e) unlink(e->path);
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

skp_status skp__events_scalar(struct skp_events *e, int64_t step, const char *tag, double value) {
  Skp__SummaryValue v = SKP__SUMMARY_VALUE__INIT;
  v.tag = (char *)(uintptr_t)tag;
  v.has_simple_value = true;
  v.simple_value = (float)value;
  return e ? put_value(e, step, &v) : SKP_OK;
}

skp_status skp__events_restart(struct skp_events *e, int64_t step) {
  Skp__Event event = SKP__EVENT__INIT;
  Skp__SessionLog start = SKP__SESSION_LOG__INIT;
  start.has_status = event.has_step = true;
  start.status = SKP__SESSION_LOG__STATUS__START;
  event.step = step + 1; /* the first that does not count */
  event.session_log = &start;
  return e ? put_event(e, &event) : SKP_OK;
}

/* Limits in equal steps from the least value to the largest. */
enum { BUCKETS = 30 };

static void spread(Skp__HistogramProto *h, double limit[BUCKETS], double bucket[BUCKETS], const float *values,
                   int64_t n) {
  h->min = INFINITY;
  h->max = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) continue;
    h->min = fmin(h->min, (double)values[i]);
    h->max = fmax(h->max, (double)values[i]);
    h->num++;
    h->sum += (double)values[i];
    h->sum_squares += (double)values[i] * (double)values[i];
  }
  const double width = (h->max - h->min) / BUCKETS;
  for (int b = 0; b < BUCKETS; b++) limit[b] = b + 1 < BUCKETS ? h->min + (b + 1) * width : h->max;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) continue;
    const double at = width > 0 ? ((double)values[i] - h->min) / width : 0;
    bucket[at < BUCKETS - 1 ? (int)at : BUCKETS - 1]++;
  }
}

skp_status skp__events_histogram(struct skp_events *e, int64_t step, const char *tag, const float *values, int64_t n) {
  Skp__SummaryValue v = SKP__SUMMARY_VALUE__INIT;
  Skp__HistogramProto h = SKP__HISTOGRAM_PROTO__INIT;
  double limit[BUCKETS] = {0}, bucket[BUCKETS] = {0};
  if (!e) return SKP_OK;
  h.has_min = h.has_max = h.has_num = h.has_sum = h.has_sum_squares = true;
  spread(&h, limit, bucket, values, n);
  if (h.num <= 0) return SKP_OK;
  h.n_bucket_limit = h.n_bucket = BUCKETS;
  h.bucket_limit = limit;
  h.bucket = bucket;
  v.tag = (char *)(uintptr_t)tag;
  v.histo = &h;
  return put_value(e, step, &v);
}

skp_status skp__events_image(struct skp_events *e, int64_t step, const char *tag, const uint8_t *pixels, int H, int W,
                             int C) {
  Skp__SummaryValue v = SKP__SUMMARY_VALUE__INIT;
  Skp__SummaryImage image = SKP__SUMMARY_IMAGE__INIT;
  void *png;
  size_t size;
  if (!e) return SKP_OK;
  SKP_TRY(skp__png_encode(&png, &size, pixels, H, W, C));
  image.has_height = image.has_width = image.has_colorspace = image.has_encoded_image_string = true;
  image.height = H;
  image.width = W;
  image.colorspace = C;
  image.encoded_image_string = (ProtobufCBinaryData){size, png};
  v.tag = (char *)(uintptr_t)tag;
  v.image = &image;
  skp_status status = put_value(e, step, &v);
  free(png);
  return status;
}

/* ---- hyperparameters --------------------------------------------------------------------------------------------- */

struct hparams {
  Skp__HparamEntry *entry, **list;
  Skp__HparamValue *value;
  size_t n;
};

/* Lists are not taken: TensorBoard has numbers, texts and truths. */
static bool describe(Skp__HparamEntry *entry, Skp__HparamValue *value, const cJSON *from) {
  skp__hparam_entry__init(entry);
  skp__hparam_value__init(value);
  entry->key = from->string;
  entry->value = value;
  value->has_number_value = cJSON_IsNumber(from);
  value->number_value = from->valuedouble;
  value->has_bool_value = cJSON_IsBool(from);
  value->bool_value = cJSON_IsTrue(from);
  value->string_value = cJSON_IsString(from) ? from->valuestring : NULL;
  return value->has_number_value || value->has_bool_value || value->string_value;
}

static skp_status put_hparams(struct skp_events *e, const char *run, struct hparams *h) {
  Skp__HparamsPluginData data = SKP__HPARAMS_PLUGIN_DATA__INIT;
  Skp__SessionStart start = SKP__SESSION_START__INIT;
  Skp__SummaryValue v = SKP__SUMMARY_VALUE__INIT;
  Skp__SummaryMetadata metadata = SKP__SUMMARY_METADATA__INIT;
  Skp__PluginData plugin = SKP__PLUGIN_DATA__INIT;
  uint8_t *packed;
  start.n_hparams = h->n;
  start.hparams = h->list;
  start.group_name = (char *)(uintptr_t)run;
  start.has_start_time_secs = data.has_version = plugin.has_content = true;
  start.start_time_secs = now();
  data.session_start_info = &start;
  const size_t bytes = skp__hparams_plugin_data__get_packed_size(&data);
  SKP_TRY(skp__alloc(&packed, bytes, 1));
  skp__hparams_plugin_data__pack(&data, packed);
  plugin.plugin_name = (char *)"hparams";
  plugin.content = (ProtobufCBinaryData){bytes, packed};
  metadata.plugin_data = &plugin;
  v.tag = (char *)"_hparams_/session_start_info";
  v.metadata = &metadata;
  skp_status status = put_value(e, 0, &v);
  free(packed);
  return status;
}

skp_status skp__events_hparams(struct skp_events *e, const char *run, const cJSON *entries) {
  struct hparams h = {.n = 0};
  const size_t most = (size_t)cJSON_GetArraySize(entries);
  const cJSON *entry;
  if (!e) return SKP_OK;
  skp_status status = skp__alloc(&h.entry, most, sizeof *h.entry);
  if (status == SKP_OK) status = skp__alloc(&h.list, most, sizeof *h.list);
  if (status == SKP_OK) status = skp__alloc(&h.value, most, sizeof *h.value);
  cJSON_ArrayForEach(entry, entries) {
    if (status != SKP_OK || !describe(&h.entry[h.n], &h.value[h.n], entry)) continue;
    h.list[h.n] = &h.entry[h.n];
    h.n++;
  }
  if (status == SKP_OK) status = put_hparams(e, run, &h);
  free(h.entry);
  free(h.list);
  free(h.value);
  return status;
}
