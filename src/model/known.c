/* known.c: the networks that come along, by name. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "model/build.h"
#include <string.h>

/* Those of torchvision by its names. */
static const struct skp_known_model named[] = {
    {"resnet18", "resnet", {{"depth", "18"}}},
    {"resnet34", "resnet", {{"depth", "34"}}},
    {"resnet50", "resnet", {{"depth", "50"}}},
    {"resnet101", "resnet", {{"depth", "101"}}},
    {"resnet152", "resnet", {{"depth", "152"}}},
    {"wide_resnet50_2", "resnet", {{"depth", "50"}, {"width_per_group", "128"}}},
    {"wide_resnet101_2", "resnet", {{"depth", "101"}, {"width_per_group", "128"}}},
    {"resnext50_32x4d", "resnet", {{"depth", "50"}, {"groups", "32"}, {"width_per_group", "4"}}},
    {"resnext101_32x8d", "resnet", {{"depth", "101"}, {"groups", "32"}, {"width_per_group", "8"}}},
    {"vgg11", "vgg", {{"depth", "11"}, {"bn", "false"}}},
    {"vgg13", "vgg", {{"depth", "13"}, {"bn", "false"}}},
    {"vgg16", "vgg", {{"depth", "16"}, {"bn", "false"}}},
    {"vgg19", "vgg", {{"depth", "19"}, {"bn", "false"}}},
    {"vgg11_bn", "vgg", {{"depth", "11"}, {"bn", "true"}}},
    {"vgg13_bn", "vgg", {{"depth", "13"}, {"bn", "true"}}},
    {"vgg16_bn", "vgg", {{"depth", "16"}, {"bn", "true"}}},
    {"vgg19_bn", "vgg", {{"depth", "19"}, {"bn", "true"}}},
    {"squeezenet1_0", "squeezenet", {{"version", "1.0"}}},
    {"squeezenet1_1", "squeezenet", {{"version", "1.1"}}},
    {"densenet121", "densenet", {{"depth", "121"}}},
    {"densenet161", "densenet", {{"depth", "161"}}},
    {"densenet169", "densenet", {{"depth", "169"}}},
    {"densenet201", "densenet", {{"depth", "201"}}},
    {"mobilenet_v3_small", "mobilenet_v3", {{"kind", "small"}}},
    {"mobilenet_v3_large", "mobilenet_v3", {{"kind", "large"}}},
    {"efficientnet_b0", "efficientnet", {{"kind", "b0"}}},
    {"efficientnet_b1", "efficientnet", {{"kind", "b1"}}},
    {"efficientnet_b2", "efficientnet", {{"kind", "b2"}}},
    {"efficientnet_b3", "efficientnet", {{"kind", "b3"}}},
    {"efficientnet_b4", "efficientnet", {{"kind", "b4"}}},
    {"efficientnet_b5", "efficientnet", {{"kind", "b5"}}},
    {"efficientnet_b6", "efficientnet", {{"kind", "b6"}}},
    {"efficientnet_b7", "efficientnet", {{"kind", "b7"}}},
    {"regnet_x_400mf", "regnet", {{"kind", "x_400mf"}}},
    {"regnet_x_800mf", "regnet", {{"kind", "x_800mf"}}},
    {"regnet_x_1_6gf", "regnet", {{"kind", "x_1_6gf"}}},
    {"regnet_x_3_2gf", "regnet", {{"kind", "x_3_2gf"}}},
    {"regnet_y_400mf", "regnet", {{"kind", "y_400mf"}}},
    {"regnet_y_800mf", "regnet", {{"kind", "y_800mf"}}},
    {"regnet_y_1_6gf", "regnet", {{"kind", "y_1_6gf"}}},
    {"regnet_y_3_2gf", "regnet", {{"kind", "y_3_2gf"}}},
    {"convnext_tiny", "convnext", {{"kind", "tiny"}}},
    {"convnext_small", "convnext", {{"kind", "small"}}},
    {"convnext_base", "convnext", {{"kind", "base"}}},
    {"convnext_large", "convnext", {{"kind", "large"}}},
};

const struct skp_known_model *skp__model_known(const char *name) {
  if (skp__file_exists(name)) return NULL;
  for (size_t i = 0; i < sizeof named / sizeof *named; i++)
    if (strcmp(named[i].name, name) == 0) return &named[i];
  return NULL;
}

const char *skp__model_source(const char *name) {
  for (const struct skp__lua_source *s = skp__lua_models; s->name; s++)
    if (strcmp(s->name, name) == 0) return s->text;
  return NULL;
}

const char *skp__model_name(size_t i) {
  size_t files = 0;
  while (skp__lua_models[files].name) files++;
  if (i < files) return skp__lua_models[i].name;
  return i - files < sizeof named / sizeof *named ? named[i - files].name : NULL;
}

void skp__model_list(struct skp__text *to) {
  const char *name;
  for (size_t i = 0; (name = skp__model_name(i)); i++) skp__text_add(to, "%s%s", i ? ", " : "", name);
}
