-- ConvNeXt (Liu et al. 2022) as in torchvision, `convnext_tiny` and, by their kind, small, base and large. drop_path is how likely the last block
-- is left out in training (the kind's own where nothing is said).

local kinds = { -- blocks of the stages, channels of the first, drop_path
  tiny = {{3, 3, 9, 3}, 96, 0.1},
  small = {{3, 3, 27, 3}, 96, 0.4},
  base = {{3, 3, 27, 3}, 128, 0.5},
  large = {{3, 3, 27, 3}, 192, 0.5},
}

local function norm(x, name) return nn.layernorm(x, {eps = 1e-6, name = name}) end

-- 7×7 for each channel by itself, then two layers for each pixel, of which the first is four times as wide.
local function block(x, p)
  local y = nn.scope("block", function()
    local inner = nn.conv2d(x, x.channels, {kernel = 7, padding = 3, groups = x.channels, name = "0", std = 0.02})
    inner = nn.pointwise(norm(inner, "2"), 4 * x.channels, {name = "3", std = 0.02})
    return nn.pointwise(nn.gelu(inner, {name = "4"}), x.channels, {name = "5", std = 0.02})
  end)
  y = nn.channel_scale(y, {name = "layer_scale", value = 1e-6})
  return x + nn.stochastic_depth(y, {p = p, name = "stochastic_depth"})
end

return {
  input = {channels = 3, size = 224},
  args = {kind = "tiny", classes = 1000, drop_path = -1},
  -- 5e-4 is a careful rate: transformers and their kin are trained with 1e-3 for batches of 1024.
  recipe = {
    batch = 32, epochs = 30, optimizer = "adamw", lr = 5e-4, weight_decay = 0.05, no_decay = true, schedule = "cosine", warmup = 3,
    clip_norm = 1, label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    assert(kinds[args.kind], "kind is tiny, small, base or large")
    local counts, channels, drop_path = table.unpack(kinds[args.kind])
    if args.drop_path >= 0 then drop_path = args.drop_path end
    local total, made = -1, 0
    for _, count in ipairs(counts) do total = total + count end
    x = norm(nn.conv2d(x, channels, {kernel = 4, stride = 4, name = "features.0.0", std = 0.02}), "features.0.1")
    for stage, count in ipairs(counts) do
      if stage > 1 then
        local before = "features." .. 2 * stage - 2
        x = nn.conv2d(norm(x, before .. ".0"), 2 * x.channels, {kernel = 2, stride = 2, name = before .. ".1", std = 0.02})
      end
      for i = 0, count - 1 do
        x = nn.scope("features." .. 2 * stage - 1 .. "." .. i, block, x, drop_path * made / total)
        made = made + 1
      end
    end
    x = norm(nn.global_avgpool(x), "classifier.0")
    return nn.linear(x, args.classes, {name = "classifier.2", std = 0.02})
  end,
}
