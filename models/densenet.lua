-- DenseNet-121, 161, 169 and 201 (Huang et al. 2017) as in torchvision, by their depth: in a block each layer reads what all before it made.

local depths = { -- channels that a layer adds, of the first convolution, layers of the blocks
  [121] = {32, 64, {6, 12, 24, 16}},
  [161] = {48, 96, {6, 12, 36, 24}},
  [169] = {32, 64, {6, 12, 32, 32}},
  [201] = {32, 64, {6, 12, 48, 32}},
}

local function conv(x, channels, kernel, name, o)
  o = o or {}
  o.kernel, o.padding, o.bias, o.name, o.std = kernel, kernel // 2, false, name, math.sqrt(2 / (x.channels * kernel * kernel))
  return nn.conv2d(x, channels, o)
end

local function norm(x, name) return nn.relu(nn.batchnorm2d(x, {name = name})) end

-- 1×1 to four times as many channels as are added, 3×3 to those.
local function layer(x, growth)
  local y = conv(norm(x, "norm1"), 4 * growth, 1, "conv1")
  return nn.concat(x, conv(norm(y, "norm2"), growth, 3, "conv2"))
end

local function transition(x)
  return nn.avgpool2d(conv(norm(x, "norm"), x.channels // 2, 1, "conv"), {kernel = 2, name = "pool"})
end

local function features(x, growth, first, counts)
  x = norm(conv(x, first, 7, "conv0", {stride = 2}), "norm0")
  x = nn.maxpool2d(x, {kernel = 3, stride = 2, padding = 1, name = "pool0"})
  for block, count in ipairs(counts) do
    for i = 1, count do x = nn.scope("denseblock" .. block .. ".denselayer" .. i, layer, x, growth) end
    if block < #counts then x = nn.scope("transition" .. block, transition, x) end
  end
  return norm(x, "norm5")
end

return {
  input = {channels = 3, size = 224},
  args = {depth = 121, classes = 1000},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 5e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    local plan = depths[args.depth]
    assert(plan, "depth is 121, 161, 169 or 201")
    x = nn.global_avgpool(nn.scope("features", features, x, table.unpack(plan)))
    return nn.linear(x, args.classes, {name = "classifier", bound = 1 / math.sqrt(x.channels)})
  end,
}
