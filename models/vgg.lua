-- VGG-11, 13, 16 and 19 as in torchvision; bn=yes puts a batchnorm behind every convolution. The last map is averaged, or spread, to 7×7
-- whatever the size of the input, from 32 pixels on. hidden is the width of the classifier, where most weights are; dropout how likely one of
-- its values is left out in training.

local depths = { -- convolutions in each of the five stages
  [11] = {1, 1, 2, 2, 2},
  [13] = {2, 2, 2, 2, 2},
  [16] = {2, 2, 3, 3, 3},
  [19] = {2, 2, 4, 4, 4},
}

local function features(x, plan, bn)
  for stage = 1, 5 do
    local channels = math.min(32 << stage, 512)
    for _ = 1, plan[stage] do
      x = nn.conv2d(x, channels, {kernel = 3, padding = 1, std = math.sqrt(2 / (channels * 9))})
      if bn then x = nn.batchnorm2d(x) end
      x = nn.relu(x)
    end
    x = nn.maxpool2d(x, {kernel = 2})
  end
  return x
end

local function classifier(x, args)
  for _ = 1, 2 do
    x = nn.relu(nn.linear(x, args.hidden, {std = 0.01}))
    x = nn.dropout(x, {p = args.dropout})
  end
  return nn.linear(x, args.classes, {std = 0.01})
end

return {
  input = {channels = 3, size = 224},
  args = {depth = 16, bn = false, classes = 1000, hidden = 4096, dropout = 0.5},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.01, momentum = 0.9, weight_decay = 5e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    local plan = depths[args.depth]
    assert(plan, "depth is 11, 13, 16 or 19")
    assert(x.height >= 32, "VGG halves the image five times: it wants 32 × 32 pixels at least")
    x = nn.scope("features", features, x, plan, args.bn)
    x = nn.flatten(nn.adaptive_avgpool2d(x, 7, {name = "avgpool"}))
    return nn.scope("classifier", classifier, x, args)
  end,
}
