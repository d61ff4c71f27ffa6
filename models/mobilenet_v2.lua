-- MobileNetV2 (Sandler et al. 2018) as in torchvision, `mobilenet_v2`. dropout is how likely a value before the last layer is left out in training.

local stages = { -- how much wider a block is inside, channels, blocks, stride of the first
  {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
}

-- 1×1 to the inner width, 3×3 for each channel by itself, 1×1 to `channels`; x is added where the shape is the same.
local function inverted(x, wider, channels, stride)
  local y, layer = x, 0
  if wider > 1 then
    y = blocks.unit("0", x, x.channels * wider, 1, {act = nn.relu6})
    layer = 1
  end
  y = blocks.unit(tostring(layer), y, y.channels, 3, {stride = stride, groups = y.channels, act = nn.relu6})
  y = blocks.conv(y, channels, 1, {name = tostring(layer + 1)})
  y = nn.batchnorm2d(y, {name = tostring(layer + 2)})
  return stride == 1 and channels == x.channels and x + y or y
end

return {
  input = {channels = 3, size = 224},
  args = {classes = 1000, dropout = 0.2},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 1e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    x = blocks.unit("features.0", x, 32, 3, {stride = 2, act = nn.relu6})
    local number = 1
    for _, stage in ipairs(stages) do
      local wider, channels, count, stride = table.unpack(stage)
      for i = 1, count do
        x = nn.scope("features." .. number .. ".conv", inverted, x, wider, channels, i == 1 and stride or 1)
        number = number + 1
      end
    end
    x = blocks.unit("features." .. number, x, 1280, 1, {act = nn.relu6})
    x = nn.dropout(nn.global_avgpool(x), {p = args.dropout})
    return nn.linear(x, args.classes, {name = "classifier.1", std = 0.01})
  end,
}
