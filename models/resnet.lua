-- ResNet-18, 34, 50, 101 and 152 as in torchvision, by their depth; and from 50 on
--   Wide ResNet-50-2 and 101-2   --set width_per_group=128
--   ResNeXt-50 32x4d             --set groups=32 --set width_per_group=4
-- stem=cifar is for small images: 3×3 at stride 1 instead of 7×7 at stride 2 and pooling. zero_init=yes starts every block as its shortcut.

local depths = {
  [18] = {blocks.basic, {2, 2, 2, 2}},
  [34] = {blocks.basic, {3, 4, 6, 3}},
  [50] = {blocks.bottleneck, {3, 4, 6, 3}},
  [101] = {blocks.bottleneck, {3, 4, 23, 3}},
  [152] = {blocks.bottleneck, {3, 8, 36, 3}},
}

local stems = {
  imagenet = blocks.stem,
  cifar = function(x)
    return nn.relu(nn.batchnorm2d(blocks.conv(x, 64, 3, {name = "conv1"}), {name = "bn1"}))
  end,
}

return {
  input = {channels = 3, size = 224},
  args = {depth = 18, classes = 1000, groups = 1, width_per_group = 64, stem = "imagenet", zero_init = false},
  -- For a few hundred pictures and for many: 0.02 suits batches of 32 (double both together); the first epochs climb to it, the last ones rest.
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 5e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    local plan, stem = depths[args.depth], stems[args.stem]
    assert(plan, "depth is 18, 34, 50, 101 or 152")
    assert(stem, "stem is imagenet or cifar")
    assert(plan[1] == blocks.bottleneck or args.groups == 1 and args.width_per_group == 64,
           "groups and width_per_group are for depth 50, 101 and 152")
    x = blocks.stages(stem(x), plan[1], plan[2], {
      groups = args.groups, width_per_group = args.width_per_group, gamma = args.zero_init and 0 or 1,
    })
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
