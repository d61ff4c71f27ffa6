-- The residual networks for CIFAR of He et al. (2015), section 4.2: depth 20, 32, 44, 56 or 110.
-- --set shortcuts=no leaves the shortcuts out, to see what they are good for. zero_init=yes starts every block as its shortcut.

return {
  input = {channels = 3, size = 32},
  args = {depth = 20, classes = 10, width = 16, shortcuts = true, zero_init = false},
  recipe = {batch = 128, epochs = 30, optimizer = "sgd", lr = 0.1, momentum = 0.9, weight_decay = 1e-4},

  network = function(x, args)
    local count = (args.depth - 2) // 6
    assert(count > 0 and 6 * count + 2 == args.depth, "depth is 6n + 2: 20, 32, 44, 56, 110")
    assert(args.shortcuts or not args.zero_init, "zero_init wants shortcuts: without them nothing would pass")
    x = nn.relu(nn.batchnorm2d(blocks.conv(x, args.width, 3, {name = "conv1"}), {name = "bn1"}))
    for i = 1, 3 do
      x = blocks.stage("layer" .. i, blocks.basic, x, args.width << (i - 1), count, {
        stride = i == 1 and 1 or 2, shortcut = args.shortcuts, gamma = args.zero_init and 0 or 1,
      })
    end
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
