-- The residual networks for CIFAR of He et al. (2015), section 4.2: depth 20, 32, 44, 56 or 110.
-- --set shortcuts=no leaves the shortcuts out, to see what they are good for.

return {
  input = {channels = 3, size = 32},
  args = {depth = 20, classes = 10, width = 16, shortcuts = true},
  recipe = {batch = 128, epochs = 30, optimizer = "sgd", lr = 0.1, momentum = 0.9, weight_decay = 1e-4},

  network = function(x, args)
    local count = (args.depth - 2) // 6
    assert(count > 0 and 6 * count + 2 == args.depth, "depth is 6n + 2: 20, 32, 44, 56, 110")
    x = nn.relu(nn.batchnorm2d(blocks.conv(x, args.width, 3, {name = "conv1"}), {name = "bn1"}))
    x = blocks.stage("layer1", blocks.basic, x, args.width, count, {stride = 1, shortcut = args.shortcuts})
    x = blocks.stage("layer2", blocks.basic, x, 2 * args.width, count, {stride = 2, shortcut = args.shortcuts})
    x = blocks.stage("layer3", blocks.basic, x, 4 * args.width, count, {stride = 2, shortcut = args.shortcuts})
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
