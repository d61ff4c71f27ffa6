-- RegNet (Radosavovic et al. 2020) as in torchvision, `regnet_y_400mf` and others by their kind: x without, y with squeeze and excitation, then so
-- many multiply-adds an image of 224 pixels.

local kinds = { -- blocks of the stages, their channels, those of a group
  x_400mf = {{1, 2, 7, 12}, {32, 64, 160, 400}, 16}, x_800mf = {{1, 3, 7, 5}, {64, 128, 288, 672}, 16},
  x_1_6gf = {{2, 4, 10, 2}, {72, 168, 408, 912}, 24}, x_3_2gf = {{2, 6, 15, 2}, {96, 192, 432, 1008}, 48},
  y_400mf = {{1, 3, 6, 6}, {48, 104, 208, 440}, 8}, y_800mf = {{1, 3, 8, 2}, {64, 144, 320, 784}, 16},
  y_1_6gf = {{2, 6, 17, 2}, {48, 120, 336, 888}, 24}, y_3_2gf = {{2, 5, 13, 1}, {72, 216, 576, 1512}, 24},
}

local function block(x, channels, stride, group, excited)
  local y = nn.scope("f", function()
    local inner = blocks.unit("a", x, channels, 1)
    inner = blocks.unit("b", inner, channels, 3, {stride = stride, groups = channels // group})
    if excited then inner = blocks.excite("se", inner, (x.channels + 2) // 4, {spread_bias = true}) end
    return blocks.unit("c", inner, channels, 1, {act = false})
  end)
  if stride ~= 1 or channels ~= x.channels then x = blocks.unit("proj", x, channels, 1, {stride = stride, act = false}) end
  return nn.relu(x + y)
end

return {
  input = {channels = 3, size = 224},
  args = {kind = "y_400mf", classes = 1000},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 1e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    assert(kinds[args.kind], "kind is x_400mf, x_800mf, x_1_6gf, x_3_2gf, or one of these with y")
    local counts, widths, group = table.unpack(kinds[args.kind])
    local excited = string.sub(args.kind, 1, 1) == "y"
    x = blocks.unit("stem", x, 32, 3, {stride = 2})
    for stage, count in ipairs(counts) do
      for i = 0, count - 1 do
        local name = "trunk_output.block" .. stage .. ".block" .. stage .. "-" .. i
        x = nn.scope(name, block, x, widths[stage], i == 0 and 2 or 1, group, excited)
      end
    end
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc", std = 0.01})
  end,
}
