-- Residual networks for CIFAR, as resnet20.lua, with squeeze and excitation (Hu et al. 2018) in each block: what the layers of F add counts, channel
-- by channel, by what the whole image shows. `reduction`: how many times fewer values decide about it.

local function block(x, channels, o)
  local y = nn.relu(nn.batchnorm2d(blocks.conv(x, channels, 3, {stride = o.stride, name = "conv1"}), {name = "bn1"}))
  y = nn.batchnorm2d(blocks.conv(y, channels, 3, {name = "conv2"}), {name = "bn2"})
  y = blocks.excite("se", y, channels // o.reduction)
  return blocks.join(x, y, o)
end

return {
  input = {channels = 3, size = 32},
  args = {depth = 20, classes = 10, width = 16, reduction = 16},
  recipe = {batch = 128, epochs = 30, optimizer = "sgd", lr = 0.1, momentum = 0.9, weight_decay = 1e-4},

  network = function(x, args)
    local count = (args.depth - 2) // 6
    assert(count > 0 and 6 * count + 2 == args.depth, "depth is 6n + 2: 20, 32, 44, 56, 110")
    assert(args.reduction >= 1 and args.reduction <= args.width, "reduction is from 1 to the width")
    x = nn.relu(nn.batchnorm2d(blocks.conv(x, args.width, 3, {name = "conv1"}), {name = "bn1"}))
    for i = 1, 3 do
      x = blocks.stage("layer" .. i, block, x, args.width << (i - 1), count, {
        stride = i == 1 and 1 or 2, reduction = args.reduction,
      })
    end
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
