-- VGG-11, 13, 16 and 19 as in torchvision; bn=yes puts a batchnorm behind every convolution. The classifier looks at a map of 7×7, so the
-- side of the input is 224 or a multiple of it. There is no dropout between the linear layers.

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

local function classifier(x, classes)
  x = nn.relu(nn.linear(x, 4096, {name = "0", std = 0.01}))
  x = nn.relu(nn.linear(x, 4096, {name = "3", std = 0.01}))
  return nn.linear(x, classes, {name = "6", std = 0.01})
end

return {
  input = {channels = 3, size = 224},
  args = {depth = 16, bn = false, classes = 1000},
  recipe = {batch = 32, epochs = 30, optimizer = "sgd", lr = 0.01, momentum = 0.9, weight_decay = 5e-4},

  network = function(x, args)
    local plan = depths[args.depth]
    assert(plan, "depth is 11, 13, 16 or 19")
    assert(x.height % 224 == 0, "VGG wants images of 224 × 224 or a multiple")
    x = nn.scope("features", features, x, plan, args.bn)
    if x.height > 7 then x = nn.avgpool2d(x, {kernel = x.height // 7, name = "avgpool"}) end
    return nn.scope("classifier", classifier, nn.flatten(x), args.classes)
  end,
}
