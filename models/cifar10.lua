-- A small residual network for CIFAR-10 and other colour images of 32×32 pixels, for CPUs: 91.0 % test accuracy on CIFAR-10 as JPEG files
-- (5,000 images, seed 1; 89.8 % if each is seen once) after 20 epochs, at some 680 images a second on two cores with AVX-512.
--
--   skipper train models/cifar10.lua --data FOLDER
--
-- It starts from fixed filters that even out what neighbouring pixels share. The channels grow as pooling shrinks the image; each size has
-- a residual block. The biases of batchnorms learn faster than the weights. (Filters and biases: Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on
-- a Single GPU", section 3.)

local function halve(name, x, channels)
  return nn.scope(name, function()
    x = nn.maxpool2d(blocks.conv(x, channels, 3, {name = "conv"}), {kernel = 2, name = "pool"})
    return nn.relu(nn.batchnorm2d(x, {name = "bn"}))
  end)
end

local function residual(name, x)
  return nn.scope(name, blocks.basic, x, x.channels, {stride = 1})
end

return {
  input = {channels = 3, size = 32},
  args = {classes = 10, width = 64},
  recipe = {
    batch = 128, epochs = 20, optimizer = "sgd", lr = 0.1, schedule = "one_cycle", momentum = 0.9, nesterov = true, weight_decay = 1e-3,
    no_decay = true, freeze = "stem", lr_mult = "*.bn*.bias=16", label_smoothing = 0.1, mean = "cifar10",
    crop_padding = 4, crop_reflect = true, flip = true, test_views = 4,
  },

  network = function(x, args)
    local width = args.width
    x = blocks.whitening(x, {name = "stem"})
    x = residual("block1", halve("layer1", x, width))     -- 16 × 16
    x = residual("block2", halve("layer2", x, 2 * width)) -- 8 × 8
    x = residual("block3", halve("layer3", x, 4 * width)) -- 4 × 4
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
