-- ResNet-34 on CIFAR-10 at 110 pixels: torchvision's network with 10 classes, trained on images that are enlarged to 120 and cropped.
--   skipper train models/resnet34_cifar10.lua --data DIR        (CIFAR-10 as an image folder or in its binary files)

return {
  input = {channels = 3, size = 110},
  args = {classes = 10},
  recipe = {
    batch = 256, epochs = 50, optimizer = "sgd", lr = 0.1, momentum = 0.9,
    schedule = "plateau", gamma = 0.1, valid_split = 0.1,
    resize = 120, crop = true, mean = 0.5, std = 0.5,
  },

  network = function(x, args)
    x = nn.relu(nn.batchnorm2d(blocks.conv(x, 64, 7, {stride = 2, name = "conv1"}), {name = "bn1"}))
    x = nn.maxpool2d(x, {kernel = 3, stride = 2, padding = 1})
    for i, count in ipairs {3, 4, 6, 3} do
      x = blocks.stage("layer" .. i, blocks.basic, x, 32 << i, count, {stride = i == 1 and 1 or 2})
    end
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
