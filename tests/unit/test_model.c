/* test_model.c: model files: names, messages, what they may not do; recipes; file layout.
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "io/safetensors.h"
#include "step.h"
#include "train/checkpoint/metadata.h"
#include <unistd.h>

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))

/* ---- the models that come along ---------------------------------------------------------------------------------- */

static const struct {
  const char *model, *name;
  int rank;
  int64_t dim[4];
} theirs[] = {
#define X(model, name, rank, ...) {model, name, rank, __VA_ARGS__},
#include "pytorch_names.def"
#undef X
};
static const char *const models[] = {"identity", "resize", "resnet20"};

/* The row of PyTorch's weight of that name; -1: there is none. */
static int row_of(const char *model, const char *name) {
  for (int i = 0; i < ROWS(theirs); i++)
    if (!strcmp(theirs[i].model, model) && !strcmp(theirs[i].name, name)) return i;
  return -1;
}

/* Every weight of PyTorch's model is here under its name and in its shape, and there is no other. */
START_TEST(names_and_shapes_are_pytorchs) {
  struct skp_model *m = step_model(models[_i]);
  size_t matched = 0, all = 0;
  for (size_t i = 0; i < m->graph->tensors.n; i++) {
    const struct skp_tensor *t = &m->graph->tensors.at[i];
    if (t->base == SKP_NONE || (t->role != SKP_ROLE_PARAM && t->role != SKP_ROLE_STATE)) continue;
    const int row = row_of(models[_i], t->name);
    int64_t dim[4];
    ck_assert_msg(row >= 0, "%s", t->name);
    ck_assert_int_eq(skp__param_file_shape(t, dim), theirs[row].rank);
    for (int d = 0; d < theirs[row].rank; d++) ck_assert_int_eq(dim[d], theirs[row].dim[d]);
    matched++;
  }
  for (int i = 0; i < ROWS(theirs); i++) all += !strcmp(theirs[i].model, models[_i]);
  ck_assert_uint_eq(matched, all);
  skp__model_destroy(m);
}
END_TEST

/* What torchvision's networks have; those for CIFAR have projections where the size changes. */
static const struct {
  const char *model;
  struct skp_setting set[3];
  int64_t parameters;
} networks[] = {
    {"resnet20", {{"depth", "20"}}, 272474},
    {"resnet20", {{"shortcuts", "no"}}, 269722},
    {"resnet20", {{"depth", "110"}}, 1730714},
    {"resnet20", {{"width", "8"}}, 68786},
    {"cifar10", {{"classes", "10"}}, 1941482},
    {"allconv", {{"classes", "10"}}, 72954},
    {"resnet", {{"depth", "18"}}, 11689512},
    {"resnet", {{"depth", "34"}}, 21797672},
    {"resnet", {{"depth", "50"}}, 25557032},
    {"resnet", {{"depth", "101"}}, 44549160},
    {"resnet", {{"depth", "152"}}, 60192808},
    {"resnet", {{"depth", "50"}, {"width_per_group", "128"}}, 68883240},
    {"resnet", {{"depth", "101"}, {"width_per_group", "128"}}, 126886696},
    {"resnet", {{"depth", "50"}, {"width_per_group", "4"}, {"groups", "32"}}, 25028904},
    {"vgg", {{"depth", "11"}}, 132863336},
    {"vgg", {{"depth", "13"}}, 133047848},
    {"vgg", {{"depth", "16"}}, 138357544},
    {"vgg", {{"depth", "19"}}, 143667240},
    {"vgg", {{"depth", "11"}, {"hidden", "512"}, {"classes", "10"}}, 22333834},
    {"vgg", {{"depth", "16"}, {"bn", "yes"}}, 138365992},
    {"mobilenet_v2", {{NULL, NULL}}, 3504872},
    {"squeezenet", {{"version", "1.1"}}, 1235496},
    {"squeezenet", {{"version", "1.0"}}, 1248424},
    {"densenet", {{"depth", "121"}}, 7978856},
    {"densenet", {{"depth", "161"}}, 28681000},
    {"densenet", {{"depth", "169"}}, 14149480},
    {"densenet", {{"depth", "201"}}, 20013928},
    {"mobilenet_v3", {{"kind", "small"}}, 2542856},
    {"mobilenet_v3", {{"kind", "large"}}, 5483032},
    {"efficientnet", {{"kind", "b0"}}, 5288548},
    {"efficientnet", {{"kind", "b1"}}, 7794184},
    {"efficientnet", {{"kind", "b2"}}, 9109994},
    {"efficientnet", {{"kind", "b3"}}, 12233232},
    {"efficientnet", {{"kind", "b4"}}, 19341616},
    {"efficientnet", {{"kind", "b5"}}, 30389784},
    {"efficientnet", {{"kind", "b6"}}, 43040704},
    {"efficientnet", {{"kind", "b7"}}, 66347960},
    {"googlenet", {{NULL, NULL}}, 6624904},
    {"regnet", {{"kind", "x_400mf"}}, 5495976},
    {"regnet", {{"kind", "x_800mf"}}, 7259656},
    {"regnet", {{"kind", "x_1_6gf"}}, 9190136},
    {"regnet", {{"kind", "x_3_2gf"}}, 15296552},
    {"regnet", {{"kind", "y_400mf"}}, 4344144},
    {"regnet", {{"kind", "y_800mf"}}, 6432512},
    {"regnet", {{"kind", "y_1_6gf"}}, 11202430},
    {"regnet", {{"kind", "y_3_2gf"}}, 19436338},
    {"convnext", {{"kind", "tiny"}}, 28589128},
    {"convnext", {{"kind", "small"}}, 50223688},
    {"convnext", {{"kind", "base"}}, 88591464},
    {"convnext", {{"kind", "large"}}, 197767336},
    {"se_resnet20", {{NULL, NULL}}, 274847},
    {"resnet", {{"stem", "cifar"}, {"classes", "10"}, {"zero_init", "yes"}}, 11173962},
    {"resnet34_cifar10", {{NULL, NULL}}, 21289802},
};

START_TEST(parameters_are_torchvisions) {
  struct skp_model *m = step_model_set(networks[_i].model, networks[_i].set);
  int64_t parameters = 0;
  for (size_t i = 0; i < m->graph->tensors.n; i++) {
    const struct skp_tensor *t = &m->graph->tensors.at[i];
    if (t->role == SKP_ROLE_PARAM && t->base != SKP_NONE) parameters += skp__shape_count(&t->shape);
  }
  ck_assert_int_eq(parameters, networks[_i].parameters);
  skp__model_destroy(m);
}
END_TEST

/* A wrong argument or size is told by the file itself. */
static const struct {
  const char *model;
  struct skp_setting set;
  int size;
  const char *say;
} refused[] = {
    {"resnet", {"depth", "19"}, 0, "18, 34, 50, 101 or 152"},
    {"resnet", {"stem", "mnist"}, 0, "imagenet or cifar"},
    {"resnet", {"groups", "32"}, 0, "depth 50, 101 and 152"},
    {"resnet20", {"depth", "21"}, 0, "6n + 2"},
    {"densenet", {"depth", "120"}, 0, "121, 161, 169 or 201"},
    {"squeezenet", {"version", "2"}, 0, "1.1 or 1.0"},
    {"mobilenet_v3", {"kind", "tiny"}, 0, "small or large"},
    {"efficientnet", {"kind", "b8"}, 0, "b0, b1"},
    {"regnet", {"kind", "400mf"}, 0, "x_400mf"},
    {"convnext", {"kind", "huge"}, 0, "tiny, small, base"},
    {"se_resnet20", {"reduction", "17"}, 0, "from 1 to the width"},
    {"vgg", {"depth", "12"}, 0, "11, 13, 16 or 19"},
    {"vgg", {"depth", "11"}, 31, "32 × 32"},
};

START_TEST(refused_settings) {
  char path[1024];
  struct skp_model *m;
  snprintf(path, sizeof path, "%s/models/%s.lua", getenv("SKP_SOURCE_DIR"), refused[_i].model);
  ck_fails(skp__model_load(&m, path, &refused[_i].set, 1, refused[_i].size, NULL), SKP_MODEL, refused[_i].say);
}
END_TEST

START_TEST(recipes_of_both) {
  struct skp_model *m = step_model(models[_i]);
  ck_assert_str_eq(m->name, models[_i]);
  ck_assert_str_eq(m->recipe.data, "digits");
  ck_assert_str_eq(m->recipe.optimizer, "adam");
  ck_assert_int_eq(m->recipe.batch, 128);
  ck_assert_int_eq(m->recipe.epochs, 10);
  ck_assert_double_eq(m->recipe.lr, 0.01);
  ck_assert_int_eq(m->recipe.classes, 10);
  ck_assert_int_eq(m->recipe.size, 28);
  skp__model_destroy(m);
}
END_TEST

/* What those write who know PyTorch is answered in the words of model files. */
static const struct {
  const char *call, *say;
} foreign[] = {
    {"nn.Conv2d(x, 8, 3)", "There is no nn.Conv2d. There is: scope add"},
    {"nn.softmax(x)", "There is no nn.softmax"},
    {"nn.conv2d(x, 3, 8, 3)", "no more than nn.conv2d(x, number, {…}); here are 4 arguments"},
    {"nn.conv2d(x, 8, {kernel = 3}, {padding = 1})", "no more than nn.conv2d(x, number, {…})"},
    {"nn.relu(x, {}, true)", "no more than nn.relu(x, {…}); here are 3 arguments"},
    {"nn.conv2d(x, 2, {kernel = 1, std = 1, bound = 1})", "nn.conv2d: weights begin with one of bound, std and values"},
    {"nn.maxpool2d(x, 2)", "nn.maxpool2d: argument 2 should be a table of options, as {kernel = …}, but it is number"},
};

START_TEST(foreign_calls) {
  char text[256];
  struct skp_model *m;
  snprintf(text, sizeof text, "return {input = {channels = 3, size = 8}, network = function(x) return %s end}",
           foreign[_i].call);
  ck_fails(skp__model_parse(&m, "m.lua", text, NULL, 0, 0, NULL), SKP_MODEL, foreign[_i].say);
}
END_TEST

/* ---- what a file sees -------------------------------------------------------------------------------------------- */

START_TEST(print_shows_name_and_shape) {
  static const char text[] =
      "return {input = {channels = 3, size = 8}, network = function(x)\n"
      "print(x)\n"
      "x = nn.scope('stem', function() return nn.relu(nn.conv2d(x, 4, {kernel = 3, name = 'conv1'})) end)\n"
      "print(x, x.height, x.width, x.channels, #x.shape)\n"
      "local flat = nn.flatten(x) print(flat, flat.height)\n"
      "print(x + x)\n"
      "print(x.shape, flat.shape, ({}).shape)\n"
      "return nn.linear(nn.flatten(x), 2) end}";
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  struct skp_model *m;
  ck_ok(skp__model_parse(&m, "m.lua", text, NULL, 0, 0, said.to));
  ck_assert(skp__memory_close(&said));
  ck_assert_str_eq(said.text, "input  N×8×8×3\n"
                              "stem.0 relu  N×6×6×4\t6\t6\t4\t3\n"
                              "0 flatten  N×144\tnil\n"
                              "network add  N×6×6×4\n"
                              "{6, 6, 4}\t{144}\tnil\n");
  free(said.text);
  skp__model_destroy(m);
}
END_TEST

/* Tensors of several: factors on either side, many side by side; and parameters that are
 * named and laid out as PyTorch's. */
START_TEST(layers_of_several) {
  static const char text[] =
      "return {input = {channels = 3, size = 4}, network = function(x)\n"
      "local gate = nn.sigmoid(nn.adaptive_avgpool2d(x, 1))\n"
      "print(gate * x, x * gate, x * x)\n"
      "print(nn.concat(x), nn.concat(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x).channels)\n"
      "x = nn.layernorm(nn.upsample_nearest(x), {name = 'norm'})\n"
      "x = nn.pointwise(x, 5, {name = 'wide'}) x = nn.channel_scale(x, {name = 'scale'}) print(x)\n"
      "return nn.linear(nn.global_avgpool(x), 2) end}";
  static const struct {
    const char *name;
    int rank;
  } parameters[] = {{"norm.weight", 1}, {"norm.bias", 1}, {"wide.weight", 2}, {"wide.bias", 1}, {"scale", 3}};
  struct skp__memory said;
  int64_t dim[4];
  ck_assert(skp__memory_open(&said));
  struct skp_model *m;
  ck_ok(skp__model_parse(&m, "m.lua", text, NULL, 0, 0, said.to));
  ck_assert(skp__memory_close(&said));
  ck_assert_str_eq(said.text, "network mul  N×4×4×3\tnetwork mul  N×4×4×3\tnetwork mul  N×4×4×3\n"
                              "input  N×4×4×3\t48\n"
                              "scale mul  N×8×8×5\n");
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
    const skp_value v = skp__graph_find(m->graph, SKP_ROLE_PARAM, parameters[i].name);
    ck_assert_msg(v != SKP_NONE, "%s", parameters[i].name);
    ck_assert_int_eq(skp__param_file_shape(&m->graph->tensors.at[v], dim), parameters[i].rank);
  }
  free(said.text);
  skp__model_destroy(m);
}
END_TEST

START_TEST(settings_change_args) {
  static const char text[] = "return {input = {channels = 1, size = 4}, args = {width = 3, deep = false, kind = 'a'},\n"
                             "network = function(x, args) assert(args.deep == true and args.kind == 'b')\n"
                             "return nn.linear(nn.flatten(x), args.width) end}";
  struct skp_setting set[] = {{"width", "7"}, {"deep", "true"}, {"kind", "b"}}, wrong = {"depth", "1"},
                     word = {"width", "wide"}, flag = {"deep", "1"}, no = {"deep", "no"};
  struct skp_model *m;
  ck_ok(skp__model_parse(&m, "m.lua", text, set, 3, 6, NULL));
  ck_assert_int_eq(m->recipe.classes, 7);
  ck_assert_int_eq(m->recipe.size, 6);
  skp__model_destroy(m);
  ck_fails(skp__model_parse(&m, "m.lua", text, &wrong, 1, 0, NULL), SKP_USAGE, "deep, kind, width");
  ck_assert_ptr_null(m);
  ck_fails(skp__model_parse(&m, "m.lua", text, &word, 1, 0, NULL), SKP_USAGE, "a number, not \"wide\"");
  ck_fails(skp__model_parse(&m, "m.lua", text, &flag, 1, 0, NULL), SKP_USAGE, "yes or no");
  ck_fails(skp__model_parse(&m, "m.lua", text, &no, 1, 0, NULL), SKP_MODEL, "assertion failed");
}
END_TEST

/* ---- errors: each with file, line and what is wrong -------------------------------------------------------------- */

/* In a network function whose body begins in line 2; x is N×6×6×2. */
static const struct {
  const char *body;
  skp_status status;
  const char *say[3];
} wrong[] = {
    {"return x", SKP_SHAPE, {"m.lua", "N×classes", "input  N×6×6×2"}},
    {"return 3", SKP_MODEL, {"m.lua", "not number", ""}},
    {"\nreturn nn.flatten(3)", SKP_MODEL, {"m.lua:3:", "nn.flatten", "number"}},
    {"return nn.conv2d(x, 3)", SKP_MODEL, {"m.lua:2:", "kernel", ""}},
    {"return nn.conv2d(x, 3, {kernel = 9})", SKP_SHAPE, {"m.lua:2:", "1×6×6×2", "9×9×2×3"}},
    {"return nn.conv2d(x, 3, {kernel = 2.5})", SKP_MODEL, {"m.lua:2:", "whole number", "2.5"}},
    {"return nn.conv2d(x, 3, {kernel = 0})", SKP_MODEL, {"m.lua:2:", "from 1", "kernel is 0"}},
    {"return nn.conv2d(x, 3, {kernel = 3, strid = 2})", SKP_MODEL, {"m.lua:2:", "strid", "stride, padding"}},
    {"return nn.conv2d(x, 3, {3})", SKP_MODEL, {"m.lua:2:", "without a name", "kernel"}},
    {"return nn.conv2d(x, 3, {kernel = 1, bias = 0})", SKP_MODEL, {"m.lua:2:", "bias", "true or false"}},
    {"return nn.conv2d(x, 0, {kernel = 1})", SKP_MODEL, {"m.lua:2:", "output channels", ""}},
    {"return nn.conv2d(x, 1 << 40, {kernel = 1})", SKP_MODEL, {"m.lua:2:", "output channels", ""}},
    {"return nn.conv2d(x, 1 << 20, {kernel = 1 << 20})", SKP_SHAPE, {"m.lua:2:", "too large", ""}},
    {"return nn.conv2d(x, 3, {kernel = 1, groups = 2})", SKP_SHAPE, {"m.lua:2:", "2 channels to 3", "2 groups"}},
    {"return nn.conv2d(x, 1, {kernel = 1, values = 3})", SKP_MODEL, {"m.lua:2:", "a list of numbers", "not 3"}},
    {"return nn.conv2d(x, 1, {kernel = 1, values = {}})", SKP_MODEL, {"m.lua:2:", "values", "from 1"}},
    {"return nn.conv2d(x, 1, {kernel = 1, values = {1, 2, 3}})", SKP_MODEL, {"m.lua:2:", "3 numbers", "weight has 2"}},
    {"return nn.conv2d(x, 1, {kernel = 1, values = {1, 'a'}})",
     SKP_MODEL,
     {"m.lua:2:", "values[2]", "a number, not a"}},
    {"return nn.conv2d(x, 1, {kernel = 1, values = {1 / 0, 1}})", SKP_MODEL, {"m.lua:2:", "values[1]", "not inf"}},
    {"return nn.batchnorm2d(nn.flatten(x))", SKP_SHAPE, {"m.lua:2:", "1×72", ""}},
    {"return nn.batchnorm2d(x, {eps = -1})", SKP_MODEL, {"m.lua:2:", "eps is -1", ""}},
    {"return nn.linear(x, 5)", SKP_SHAPE, {"m.lua:2:", "nn.flatten", "N×6×6×2"}},
    {"return x + nn.conv2d(x, 3, {kernel = 3})", SKP_SHAPE, {"m.lua:2:", "input  N×6×6×2", "0 conv2d  N×4×4×3"}},
    {"return x + 1", SKP_MODEL, {"m.lua:2:", "number", ""}},
    {"return x.colour", SKP_MODEL, {"m.lua:2:", "colour", "height"}},
    {"x = blocks.basic(x, 0, {stride = 1}) return x", SKP_MODEL, {"m.lua:2:", "blocks.lua:", "output channels"}},
    {"return nn.conv3d(x)", SKP_MODEL, {"m.lua:2:", "conv3d", ""}},
    {"nn.scope('a', function() nn.linear(nn.flatten(x), 2, {name = 'l'}) end)\n"
     "nn.scope('a', function() nn.linear(nn.flatten(x), 2, {name = 'l'}) end)",
     SKP_MODEL,
     {"m.lua:3:", "two layers named a.l", ""}},
    {"return nn.relu(x, {name = '../etc'})", SKP_MODEL, {"m.lua:2:", "letters", ""}},
    {"return nn.relu(x, {name = 3})", SKP_MODEL, {"m.lua:2:", "text", ""}},
    {"nn.scope(3)", SKP_MODEL, {"m.lua:2:", "function expected", ""}},
    {"local function f(n) return nn.scope('abcdefghijklmnopqrstuvwxyz', function() return f(n + 1) end) "
     "end\nreturn f(0)",
     SKP_MODEL,
     {"m.lua:2:", "too long", ""}},
    /* hostile */
    {"while true do end", SKP_MODEL, {"m.lua:2:", "endless loop", ""}},
    {"local function f() return f() end return f()", SKP_MODEL, {"m.lua:2:", "endless loop", ""}},
    {"local function f() return 1 + f() end return f()", SKP_MODEL, {"m.lua:2:", "stack overflow", ""}},
    {"local t = {} for i = 1, 1e9 do t[i] = i end", SKP_MODEL, {"m.lua:2:", "128 MiB", ""}},
    {"local s = 'x' while true do s = s .. s end", SKP_MODEL, {"m.lua:2:", "128 MiB", ""}},
    {"return ('x'):rep(1 << 30)", SKP_MODEL, {"m.lua:2:", "rep", ""}},
    {"return table.move({}, 1, math.maxinteger - 1, 2)", SKP_MODEL, {"m.lua:2:", "move", ""}},
    {"error(nil)", SKP_MODEL, {"m.lua:2:", "nil", ""}},
    {"error({})", SKP_MODEL, {"m.lua:2:", "table", ""}},
    {"error('no', 0)", SKP_MODEL, {"m.lua:2:", "no", ""}},
    {"pcall(function() while true do end end)", SKP_MODEL, {"m.lua:2:", "pcall", ""}},
    {"io.open('/etc/passwd')", SKP_MODEL, {"m.lua:2:", "io", ""}},
    {"os.exit(0)", SKP_MODEL, {"m.lua:2:", "os", ""}},
    {"debug.sethook()", SKP_MODEL, {"m.lua:2:", "debug", ""}},
    {"load('x')", SKP_MODEL, {"m.lua:2:", "load", ""}},
    {"dofile('x')", SKP_MODEL, {"m.lua:2:", "dofile", ""}},
    {"require('x')", SKP_MODEL, {"m.lua:2:", "require", ""}},
    {"collectgarbage('stop')", SKP_MODEL, {"m.lua:2:", "collectgarbage", ""}},
    {"setmetatable({}, {})", SKP_MODEL, {"m.lua:2:", "setmetatable", ""}},
    {"getmetatable(x).__index = nil", SKP_MODEL, {"m.lua:2:", "getmetatable", ""}},
    {"coroutine.wrap(print)()", SKP_MODEL, {"m.lua:2:", "coroutine", ""}},
    {"string.dump(print)", SKP_MODEL, {"m.lua:2:", "dump", ""}},
    {"nn.add(x)", SKP_MODEL, {"m.lua:2:", "argument 2", ""}},
    {"x.v = 3", SKP_MODEL, {"m.lua:2:", "tensor", ""}},
    {"return x * nn.relu(nn.conv2d(x, 3, {kernel = 1}))", SKP_SHAPE, {"m.lua:2:", "N×6×6×3", "or one of them N×1×1×C"}},
    {"return x * 2", SKP_MODEL, {"m.lua:2:", "argument 2", ""}},
    {"return nn.concat(x, nn.maxpool2d(x, {kernel = 2}))", SKP_SHAPE, {"m.lua:2:", "1×3×3×2", "all but the channels"}},
    {"return nn.concat(x, 3)", SKP_MODEL, {"m.lua:2:", "argument 2", ""}},
    {"return nn.concat()", SKP_MODEL, {"m.lua:2:", "argument 1", "no value"}},
    {"return nn.stochastic_depth(x)", SKP_MODEL, {"m.lua:2:", "say {p", ""}},
    {"return nn.upsample_nearest(x, {scale = 0})", SKP_MODEL, {"m.lua:2:", "from 1", ""}},
};

static void check_wrong(const char *text, skp_status status, const char *const say[3]) {
  struct skp_model *m = (struct skp_model *)1;
  ck_fails(skp__model_parse(&m, "m.lua", text, NULL, 0, 0, NULL), status, say[0]);
  ck_assert_ptr_null(m);
  for (int i = 1; i < 3; i++)
    ck_assert_msg(strstr(skp_error_message(), say[i]), "the text lacks '%s': %s", say[i], skp_error_message());
}

#define FILE_OF(body) "return {input = {channels = 2, size = 6}, network = function(x)\n" body "\nend}"
START_TEST(wrong_networks) {
  char *text;
  ck_ok(skp__format(&text, FILE_OF("%s"), wrong[_i].body));
  check_wrong(text, wrong[_i].status, wrong[_i].say);
  free(text);
}
END_TEST

START_TEST(too_many_layers) {
  const char *const say[] = {"m.lua:2:", "100000 nodes", ""};
  check_wrong(FILE_OF("while true do x = nn.relu(x) end"), SKP_MODEL, say);
}
END_TEST

#define NETWORK "network = function(x) return nn.linear(nn.flatten(x), 2) end"
static const struct {
  const char *text;
  const char *say[3];
} wrong_files[] = {
    {"x = = 3", {"m.lua:1:", "unexpected", ""}},
    {"\033Lua", {"m.lua", "binary", ""}},
    {"", {"m.lua", "should return a table", ""}},
    {"\nerror('stop')", {"m.lua:2:", "stop", ""}},
    {"while true do end", {"m.lua:1:", "endless loop", ""}},
    {"return {}", {"m.lua", "input = {channels", ""}},
    {"return {input = {channels = 1, size = 4}}", {"m.lua", "network = function", ""}},
    {"return {input = {channels = 1, size = 4}, netwrk = 3}", {"m.lua", "netwrk", "network"}},
    {"return {input = {channels = 0, size = 4}," NETWORK "}", {"m.lua", "input.channels", ""}},
    {"return {input = {channels = 1, size = 1 << 40}," NETWORK "}", {"m.lua", "input.size", ""}},
    {"return {input = {channels = 1, size = 4, depth = 2}," NETWORK "}", {"m.lua", "depth", "channels, size"}},
    {"return {input = {channels = 1, size = 4}, recipe = {epoch = 3}," NETWORK "}",
     {"m.lua", "epoch", "batch, epochs"}},
    {"return {input = {channels = 1, size = 4}, recipe = {lr = -1}," NETWORK "}", {"m.lua", "lr", "-1"}},
    {"return {input = {channels = 1, size = 4}, recipe = {lr = true}," NETWORK "}", {"m.lua", "lr", "true"}},
    {"return {input = {channels = 1, size = 4}, recipe = {optimizer = 'lamb'}," NETWORK "}",
     {"m.lua", "lamb", "sgd, adam, adamw, lion"}},
    {"return {input = {channels = 1, size = 4}, recipe = {nesterov = true}," NETWORK "}", {"m.lua", "momentum", ""}},
    {"return {input = {channels = 1, size = 4}, recipe = 3," NETWORK "}", {"m.lua", "recipe", "number"}},
    {"return {input = {channels = 1, size = 4}, args = 3," NETWORK "}", {"m.lua", "args", "number"}},
};

START_TEST(wrong_whole_files) { check_wrong(wrong_files[_i].text, SKP_MODEL, wrong_files[_i].say); }
END_TEST

START_TEST(files_that_are_not_there) {
  struct skp_model *m;
  ck_fails(skp__model_load(&m, "/nowhere/net.lua", NULL, 0, 0, NULL), SKP_IO, "/nowhere/net.lua");
  ck_assert_ptr_null(m);
}
END_TEST

/* Errors keep the end of a long path and the line. */
START_TEST(long_paths) {
  struct skp_model *m;
  char path[300];
  memset(path, 'd', sizeof path);
  strcpy(path + 200, "/net.lua");
  ck_fails(skp__model_parse(&m, path, "\nerror('stop')", NULL, 0, 0, NULL), SKP_MODEL, "/net.lua:2: stop");
  ck_assert_ptr_null(strstr(strstr(skp_error_message(), "net.lua:") + 1, "net.lua:"));
}
END_TEST

/* ---- recipes ----------------------------------------------------------------------------------------------------- */

START_TEST(recipe_fields) {
  struct skp_recipe r, again;
  char text[300];
  skp__recipe_default(&r);
  ck_assert_int_eq(r.mean.n, 1);
  ck_assert_int_eq(r.milestones.n, 0);
  ck_ok(skp__recipe_set(&r, "mean", "0.5,0.25,0.125"));
  ck_ok(skp__recipe_set(&r, "std", "0.5"));
  ck_ok(skp__recipe_set(&r, "lr", "0.1"));
  ck_ok(skp__recipe_set(&r, "nesterov", "true"));
  ck_ok(skp__recipe_set(&r, "milestones", "30,60,80,90,95"));
  ck_assert_int_eq(r.mean.n, 3);
  ck_assert_int_eq(r.milestones.n, 5);
  ck_assert_float_eq(r.milestones.at[4], 95);
  ck_assert_float_eq(r.mean.at[3], 0.125f);
  ck_assert_float_eq(r.std.at[2], 0.5f);
  skp__recipe_default(&again);
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++)
    ck_ok(skp__recipe_set(&again, f->name, skp__recipe_get(text, sizeof text, &r, f)));
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) {
    char other[300];
    skp__recipe_get(text, sizeof text, &r, f);
    ck_assert_str_eq(text, skp__recipe_get(other, sizeof other, &again, f));
  }
}
END_TEST

static const struct {
  const char *name, *value, *say;
} wrong_values[] = {
    {"batch", "0", "from 1"},
    {"batch", "1.5", "whole"},
    {"batch", "", "whole"},
    {"batch", "12x", "12x"},
    {"lr", "nan", "nan"},
    {"lr", "inf", "inf"},
    {"beta1", "1", "beta1"},
    {"mean", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "numbers"},
    {"mean", "1,,2", "mean"},
    {"mean", "1;2", "mean"},
    {"std", "0", "std"},
    {"nesterov", "yes", "true or false"},
    {"colour", "1", "batch, epochs"},
};

START_TEST(wrong_recipe_values) {
  struct skp_recipe r, before;
  skp__recipe_default(&r);
  before = r;
  ck_fails(skp__recipe_set(&r, wrong_values[_i].name, wrong_values[_i].value), SKP_USAGE, wrong_values[_i].say);
  ck_assert_mem_eq(&r, &before, sizeof r);
}
END_TEST

START_TEST(contradictions) {
  struct skp_recipe r;
  const struct skp_op *op;
  union skp_attrs attrs;
  skp__recipe_default(&r);
  ck_ok(skp__recipe_set(&r, "momentum", "0.9"));
  ck_ok(skp__recipe_set(&r, "nesterov", "true"));
  ck_ok(skp__recipe_set(&r, "weight_decay", "0.0005"));
  ck_ok(skp__recipe_optimizer(&op, &attrs, &r));
  ck_assert_ptr_eq(op, &skp__op_sgd);
  ck_assert_float_eq(attrs.optimizer.momentum, 0.9f);
  ck_assert_int_eq(attrs.optimizer.nesterov, 1);
  ck_assert_float_eq(attrs.optimizer.weight_decay, 0.0005f);
  ck_ok(skp__recipe_set(&r, "optimizer", "adam"));
  ck_fails(skp__recipe_optimizer(&op, &attrs, &r), SKP_USAGE, "momentum");
  ck_ok(skp__recipe_set(&r, "optimizer", "relu"));
  ck_fails(skp__recipe_optimizer(&op, &attrs, &r), SKP_USAGE, "sgd, adam, adamw");
}
END_TEST

/* ---- parameters -------------------------------------------------------------------------------------------------- */

/* The longest list of the longest numbers passes through a file. */
START_TEST(long_lists_are_kept) {
  char text[SKP_RECIPE_TEXT_MOST] = "", again[SKP_RECIPE_TEXT_MOST], path[64];
  struct skp_recipe said, read;
  struct skp_st_file f;
  enum skp__pixels its;
  skp__recipe_default(&said);
  skp__recipe_default(&read);
  said.channels = read.channels = SKP_RECIPE_NUMBERS_MOST;
  for (int i = 0; i < SKP_RECIPE_NUMBERS_MOST; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s-%.7ge-5", i ? "," : "", 1.234567 + i);
  ck_ok(skp__recipe_set(&said, "mean", text));
  cJSON *json = skp__recipe_json(&said);
  char *recipe = cJSON_PrintUnformatted(json);
  struct skp_st_meta meta[] = {{(char[]){"recipe"}, recipe}};
  snprintf(path, sizeof path, "/tmp/skp_test_%ld.safetensors", (long)getpid());
  ck_ok(skp__st_write(path, NULL, 0, meta, 1));
  ck_ok(skp__st_read(&f, path));
  ck_ok(skp__metadata_pixels(&(struct skp_inherit){.recipe = &read, .mean = true}, &its, &f, path));
  ck_assert_int_eq(its, SKP__PIXELS_FIT);
  ck_assert_mem_eq(&read.mean, &said.mean, sizeof said.mean);
  ck_assert_str_eq(skp__recipe_get(text, sizeof text, &said, skp__recipe_find("mean")),
                   skp__recipe_get(again, sizeof again, &read, skp__recipe_find("mean")));
  skp__st_free(&f);
  unlink(path);
  cJSON_free(recipe);
  cJSON_Delete(json);
}
END_TEST

START_TEST(file_layout) {
  struct skp_tensor t = {.shape = skp__shape4(2, 3, 4, 5), .file_rank = 4};
  float memory[120], file[120], back[120];
  int64_t dim[4];
  for (int i = 0; i < 120; i++) memory[i] = (float)i;
  skp__param_to_file(file, memory, &t);
  for (int r = 0; r < 2; r++)
    for (int s = 0; s < 3; s++)
      for (int c = 0; c < 4; c++)
        for (int k = 0; k < 5; k++)
          ck_assert_float_eq(file[((k * 4 + c) * 2 + r) * 3 + s], memory[((r * 3 + s) * 4 + c) * 5 + k]);
  skp__param_from_file(back, file, &t);
  ck_assert_mem_eq(memory, back, sizeof memory);
  ck_assert_int_eq(skp__param_file_shape(&t, dim), 4);
  ck_assert(dim[0] == 5 && dim[1] == 4 && dim[2] == 2 && dim[3] == 3);
  t.file_rank = 2;
  ck_assert_int_eq(skp__param_file_shape(&t, dim), 2);
  ck_assert(dim[0] == 5 && dim[1] == 24);
}
END_TEST

/* The weight of a linear layer after flatten knows the map, through relu too. */
START_TEST(linear_on_a_map) {
  struct skp_model *m = step_parse("x = nn.linear(nn.relu(nn.flatten(x)), 4) return nn.linear(x, 3)");
  const struct skp_graph *g = m->graph;
  struct skp_shape first = skp__shape4(6, 6, 2, 4), second = skp__shape4(1, 1, 4, 3);
  ck_assert(skp__shape_equal(&g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, "2.weight")].shape, &first));
  ck_assert(skp__shape_equal(&g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, "3.weight")].shape, &second));
  skp__model_destroy(m);
}
END_TEST

/* ---- the suite --------------------------------------------------------------------------------------------------- */

int main(void) {
  Suite *suite = suite_create("model");
  TCase *c = tcase_create("model");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, names_and_shapes_are_pytorchs, 0, ROWS(models));
  tcase_add_loop_test(c, parameters_are_torchvisions, 0, ROWS(networks));
  tcase_add_loop_test(c, foreign_calls, 0, ROWS(foreign));
  tcase_add_loop_test(c, refused_settings, 0, ROWS(refused));
  tcase_add_loop_test(c, recipes_of_both, 0, 2);
  tcase_add_test(c, print_shows_name_and_shape);
  tcase_add_test(c, layers_of_several);
  tcase_add_test(c, settings_change_args);
  tcase_add_loop_test(c, wrong_networks, 0, ROWS(wrong));
  tcase_add_loop_test(c, wrong_whole_files, 0, ROWS(wrong_files));
  tcase_add_test(c, files_that_are_not_there);
  tcase_add_test(c, long_paths);
  tcase_add_test(c, recipe_fields);
  tcase_add_loop_test(c, wrong_recipe_values, 0, ROWS(wrong_values));
  tcase_add_test(c, contradictions);
  tcase_add_test(c, long_lists_are_kept);
  tcase_add_test(c, file_layout);
  tcase_add_test(c, linear_on_a_map);
  suite_add_tcase(suite, c);
  TCase *seconds = tcase_create("seconds"); /* under checkers the seconds that a file has are over first */
  tcase_set_tags(seconds, "seconds");
  tcase_add_test(seconds, too_many_layers);
  suite_add_tcase(suite, seconds);
  return skp__test_main(suite);
}
