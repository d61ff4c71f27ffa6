-- MobileNetV3 (Howard et al. 2019) as in torchvision, `mobilenet_v3_small` and, with kind=large, `mobilenet_v3_large`. dropout is how likely a
-- value before the last layer is left out in training.

local relu, swish = nn.relu, nn.hardswish
local kinds = { -- of each block: kernel, channels inside, channels, excited or not, activation, stride; and the width of the classifier
  small = {
    {3, 16, 16, true, relu, 2}, {3, 72, 24, false, relu, 2}, {3, 88, 24, false, relu, 1}, {5, 96, 40, true, swish, 2},
    {5, 240, 40, true, swish, 1}, {5, 240, 40, true, swish, 1}, {5, 120, 48, true, swish, 1}, {5, 144, 48, true, swish, 1},
    {5, 288, 96, true, swish, 2}, {5, 576, 96, true, swish, 1}, {5, 576, 96, true, swish, 1}, hidden = 1024,
  },
  large = {
    {3, 16, 16, false, relu, 1}, {3, 64, 24, false, relu, 2}, {3, 72, 24, false, relu, 1}, {5, 72, 40, true, relu, 2},
    {5, 120, 40, true, relu, 1}, {5, 120, 40, true, relu, 1}, {3, 240, 80, false, swish, 2}, {3, 200, 80, false, swish, 1},
    {3, 184, 80, false, swish, 1}, {3, 184, 80, false, swish, 1}, {3, 480, 112, true, swish, 1}, {3, 672, 112, true, swish, 1},
    {5, 672, 160, true, swish, 2}, {5, 960, 160, true, swish, 1}, {5, 960, 160, true, swish, 1}, hidden = 1280,
  },
}

local function unit(name, x, channels, kernel, o)
  o.eps, o.momentum = 0.001, 0.01
  return blocks.unit(name, x, channels, kernel, o)
end

local function block(x, kernel, inner, channels, excited, act, stride)
  local y, number = x, 0
  local function name()
    number = number + 1
    return tostring(number - 1)
  end
  if inner ~= x.channels then y = unit(name(), y, inner, 1, {act = act}) end
  y = unit(name(), y, inner, kernel, {stride = stride, groups = inner, act = act})
  if excited then y = blocks.excite(name(), y, blocks.divisible(inner // 4), {gate = nn.hardsigmoid}) end
  y = unit(name(), y, channels, 1, {act = false})
  return stride == 1 and channels == x.channels and x + y or y
end

return {
  input = {channels = 3, size = 224},
  args = {kind = "small", classes = 1000, dropout = 0.2},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 1e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    local plan = kinds[args.kind]
    assert(plan, "kind is small or large")
    x = unit("features.0", x, 16, 3, {stride = 2, act = swish})
    for i, each in ipairs(plan) do x = nn.scope("features." .. i .. ".block", block, x, table.unpack(each)) end
    x = unit("features." .. #plan + 1, x, 6 * x.channels, 1, {act = swish})
    x = nn.linear(nn.global_avgpool(x), plan.hidden, {name = "classifier.0", std = 0.01})
    x = nn.dropout(swish(x), {p = args.dropout})
    return nn.linear(x, args.classes, {name = "classifier.3", std = 0.01})
  end,
}
