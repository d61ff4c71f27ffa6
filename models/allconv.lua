-- The all-convolutional network: nothing but convolutions, each with batchnorm and relu; every other one halves the image.

local function layer(x, channels, stride)
  return nn.relu(nn.batchnorm2d(blocks.conv(x, channels, 3, {stride = stride})))
end

return {
  input = {channels = 3, size = 32},
  args = {classes = 10, width = 16},
  recipe = {batch = 128, epochs = 30, optimizer = "sgd", lr = 0.1, momentum = 0.9, weight_decay = 1e-4},

  network = function(x, args)
    for _, channels in ipairs {args.width, 2 * args.width, 4 * args.width} do
      x = layer(layer(x, channels, 1), channels, 2)
    end
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
