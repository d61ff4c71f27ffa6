-- SqueezeNet 1.1 and 1.0 (Iandola et al. 2016) as in torchvision, `squeezenet1_1` and `squeezenet1_0`. dropout is how likely a value before the
-- last convolution is left out in training.

local versions = { -- the first convolution's channels and kernel; then poolings and what fire modules squeeze to and expand to, twice
  ["1.1"] = {64, 3, {"pool", {16, 64}, {16, 64}, "pool", {32, 128}, {32, 128}, "pool", {48, 192}, {48, 192}, {64, 256}, {64, 256}}},
  ["1.0"] = {96, 7, {"pool", {16, 64}, {16, 64}, {32, 128}, "pool", {32, 128}, {48, 192}, {48, 192}, {64, 256}, "pool", {64, 256}}},
}

local function conv(x, channels, kernel, o)
  o.kernel, o.padding = kernel, o.padding or kernel // 2
  if not o.std then o.bound = math.sqrt(6 / (x.channels * kernel * kernel)) end
  return nn.conv2d(x, channels, o)
end

-- 1×1 to a few channels, from there 1×1 and 3×3 side by side.
local function fire(x, squeezed, expanded)
  x = nn.relu(conv(x, squeezed, 1, {name = "squeeze"}))
  return nn.concat(nn.relu(conv(x, expanded, 1, {name = "expand1x1"})), nn.relu(conv(x, expanded, 3, {name = "expand3x3"})))
end

local function features(x, channels, kernel, parts)
  x = nn.relu(conv(x, channels, kernel, {stride = 2, padding = 0}))
  for i, part in ipairs(parts) do
    if part == "pool" then
      x = nn.maxpool2d(x, {kernel = 3, stride = 2, ceil_mode = true})
    else
      x = nn.scope(tostring(i + 1), fire, x, part[1], part[2])
    end
  end
  return x
end

return {
  input = {channels = 3, size = 224},
  args = {version = "1.1", classes = 1000, dropout = 0.5},
  -- Without batchnorm: a smaller learning rate than the others'.
  recipe = {
    batch = 32, epochs = 30, optimizer = "adamw", lr = 3e-4, weight_decay = 0.01, schedule = "cosine", warmup = 3, clip_norm = 1,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    local version = versions[args.version]
    assert(version, "version is 1.1 or 1.0")
    x = nn.scope("features", features, x, table.unpack(version))
    x = nn.dropout(x, {p = args.dropout})
    return nn.global_avgpool(nn.relu(conv(x, args.classes, 1, {name = "classifier.1", std = 0.01})))
  end,
}
