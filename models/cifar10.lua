-- A small residual network for CIFAR-10 and other images of 32×32 pixels, for CPUs: 87.9 % test accuracy after these 24 epochs (seed 1),
-- at about 600 images a second on two cores. The channels grow as pooling shrinks the image; the first and the last size have a residual block.
--
--   skipper train models/cifar10.lua --data FOLDER

local function layer(name, x, channels, pool)
  return nn.scope(name, function()
    x = blocks.conv(x, channels, 3, {name = "conv"})
    if pool then x = nn.maxpool2d(x, {kernel = 2, name = "pool"}) end
    return nn.relu(nn.batchnorm2d(x, {name = "bn"}))
  end)
end

local function residual(name, x)
  return nn.scope(name, blocks.basic, x, x.channels, {stride = 1})
end

return {
  input = {channels = 3, size = 32},
  args = {classes = 10, width = 48},
  recipe = {
    batch = 128, epochs = 24, optimizer = "sgd", lr = 0.2, schedule = "one_cycle", momentum = 0.9, nesterov = true, weight_decay = 5e-4,
    label_smoothing = 0.1, mean = {0.4914, 0.4822, 0.4465}, std = {0.247, 0.2435, 0.2616}, crop_padding = 4, flip = true,
  },

  network = function(x, args)
    local width = args.width
    x = layer("stem", x, 16)
    x = residual("block1", layer("layer1", x, width, true))          -- 16 × 16
    x = layer("layer2", x, 2 * width, true)                          -- 8 × 8
    x = residual("block3", layer("layer3", x, 4 * width, true))      -- 4 × 4
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
