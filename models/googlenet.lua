-- GoogLeNet (Szegedy et al. 2015) with batchnorm, without the auxiliary classifiers, as in torchvision, `googlenet` with aux_logits=False: where the
-- paper has convolutions of 5×5, these are 3×3. dropout is how likely a value before the last layer is left out in training.

local inceptions = { -- channels: 1×1; 1×1 before 3×3, 3×3; the same again; 1×1 behind the pooling
  ["3a"] = {64, 96, 128, 16, 32, 32}, ["3b"] = {128, 128, 192, 32, 96, 64},
  ["4a"] = {192, 96, 208, 16, 48, 64}, ["4b"] = {160, 112, 224, 24, 64, 64}, ["4c"] = {128, 128, 256, 24, 64, 64},
  ["4d"] = {112, 144, 288, 32, 64, 64}, ["4e"] = {256, 160, 320, 32, 128, 128},
  ["5a"] = {256, 160, 320, 32, 128, 128}, ["5b"] = {384, 192, 384, 48, 128, 128},
}

local function unit(name, x, channels, kernel, stride)
  return nn.scope(name, function()
    local y = nn.conv2d(x, channels, {
      kernel = kernel, stride = stride or 1, padding = kernel // 2, bias = false, name = "conv", std = 0.01,
    })
    return nn.relu(nn.batchnorm2d(y, {name = "bn", eps = 0.001}))
  end)
end

local function inception(x, one, before_three, three, before_five, five, pooled)
  return nn.concat(
    unit("branch1", x, one, 1),
    unit("branch2.1", unit("branch2.0", x, before_three, 1), three, 3),
    unit("branch3.1", unit("branch3.0", x, before_five, 1), five, 3),
    unit("branch4.1", nn.maxpool2d(x, {kernel = 3, stride = 1, padding = 1, ceil_mode = true, name = "branch4.0"}), pooled, 1))
end

local function pool(x, kernel, name) return nn.maxpool2d(x, {kernel = kernel, stride = 2, ceil_mode = true, name = name}) end

return {
  input = {channels = 3, size = 224},
  args = {classes = 1000, dropout = 0.2},
  recipe = {
    batch = 32, epochs = 30, optimizer = "sgd", lr = 0.02, momentum = 0.9, weight_decay = 5e-4, schedule = "cosine", warmup = 3,
    label_smoothing = 0.1, mean = "imagenet", random_resized_crop = 0.35, flip = true,
  },

  network = function(x, args)
    x = pool(unit("conv1", x, 64, 7, 2), 3, "maxpool1")
    x = pool(unit("conv3", unit("conv2", x, 64, 1), 192, 3), 3, "maxpool2")
    for _, name in ipairs {"3a", "3b", "pool", "4a", "4b", "4c", "4d", "4e", "pool", "5a", "5b"} do
      if name == "pool" then
        local third = x.channels == 480
        x = pool(x, third and 3 or 2, third and "maxpool3" or "maxpool4")
      else
        x = nn.scope("inception" .. name, inception, x, table.unpack(inceptions[name]))
      end
    end
    x = nn.dropout(nn.global_avgpool(x), {p = args.dropout})
    return nn.linear(x, args.classes, {name = "fc", std = 0.01, bias_bound = 1 / math.sqrt(x.channels)})
  end,
}
