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
    x = blocks.stages(blocks.stem(x), blocks.basic, {3, 4, 6, 3})
    return nn.linear(nn.global_avgpool(x), args.classes, {name = "fc"})
  end,
}
