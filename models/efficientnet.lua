-- EfficientNet-B0 to B7 (Tan and Le 2019) as in torchvision, `efficientnet_b0` … : kind=b1 is deeper, kind=b2 wider, too, and so on. dropout is how
-- likely a value before the last layer is left out in training (the kind's own where nothing is said), drop_path how likely the last block is.

local kinds = { -- how many times as wide and as deep as B0; dropout
  b0 = {1.0, 1.0, 0.2}, b1 = {1.0, 1.1, 0.2}, b2 = {1.1, 1.2, 0.3}, b3 = {1.2, 1.4, 0.3},
  b4 = {1.4, 1.8, 0.4}, b5 = {1.6, 2.2, 0.4}, b6 = {1.8, 2.6, 0.5}, b7 = {2.0, 3.1, 0.5},
}

local stages = { -- how much wider a block is inside, kernel, stride of the first, channels, blocks
  {1, 3, 1, 16, 1}, {6, 3, 2, 24, 2}, {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3}, {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1},
}

-- Each block has o.norm, the batchnorms' options, and o.p, how likely it is left out.
local function unit(name, x, channels, kernel, o, norm)
  o.eps, o.momentum = norm.eps, norm.momentum
  return blocks.unit(name, x, channels, kernel, o)
end

local function block(x, wider, kernel, stride, channels, p, norm)
  local y, number, inner = x, 0, blocks.divisible(x.channels * wider)
  if inner ~= x.channels then
    y = unit("0", y, inner, 1, {act = nn.silu}, norm)
    number = 1
  end
  y = unit(tostring(number), y, inner, kernel, {stride = stride, groups = inner, act = nn.silu}, norm)
  y = blocks.excite(tostring(number + 1), y, math.max(1, x.channels // 4), {act = nn.silu})
  y = unit(tostring(number + 2), y, channels, 1, {act = false}, norm)
  if stride ~= 1 or channels ~= x.channels then return y end
  return x + nn.stochastic_depth(y, {p = p, name = "stochastic_depth"})
end

local function count_of(stage, deep) return math.ceil(stage[5] * deep) end

return {
  input = {channels = 3, size = 224},
  args = {kind = "b0", classes = 1000, dropout = -1, drop_path = 0.2},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 1e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    assert(kinds[args.kind], "kind is b0, b1, … or b7")
    local wide, deep, dropout = table.unpack(kinds[args.kind])
    local norm = args.kind >= "b5" and {eps = 0.001, momentum = 0.01} or {}
    local total, made = 0, 0
    for _, stage in ipairs(stages) do total = total + count_of(stage, deep) end
    x = unit("features.0", x, blocks.divisible(32 * wide), 3, {stride = 2, act = nn.silu}, norm)
    for i, stage in ipairs(stages) do
      local wider, kernel, stride, channels = table.unpack(stage)
      for j = 0, count_of(stage, deep) - 1 do
        x = nn.scope("features." .. i .. "." .. j .. ".block", block, x, wider, kernel, j == 0 and stride or 1,
                     blocks.divisible(channels * wide), args.drop_path * made / total, norm)
        made = made + 1
      end
    end
    x = unit("features." .. #stages + 1, x, 4 * x.channels, 1, {act = nn.silu}, norm)
    x = nn.dropout(nn.global_avgpool(x), {p = args.dropout < 0 and dropout or args.dropout})
    return nn.linear(x, args.classes, {name = "classifier.1", bound = 1 / math.sqrt(args.classes)})
  end,
}
