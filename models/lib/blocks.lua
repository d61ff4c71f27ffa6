-- The table `blocks`, which every model file finds beside `nn`: residual blocks with PyTorch's names and torchvision's first values.

local blocks = {}

-- A convolution without bias, padded to keep the size at stride 1; He's first values for a relu, by the outputs.
function blocks.conv(x, channels, kernel, o)
  o = o or {}
  return nn.conv2d(x, channels, {
    kernel = kernel, stride = o.stride or 1, padding = (kernel - 1) // 2, groups = o.groups or 1, bias = false, name = o.name,
    std = math.sqrt(2 / (channels * kernel * kernel)),
  })
end

-- y = relu(F(x) + shortcut), where the shortcut is x, or a 1×1 convolution of it where shapes differ. `shortcut = false`: relu(F(x)).
local function join(x, y, o)
  if o.shortcut == false then return nn.relu(y) end
  if o.stride ~= 1 or x.channels ~= y.channels then
    x = nn.scope("downsample", function()
      return nn.batchnorm2d(blocks.conv(x, y.channels, 1, {stride = o.stride}))
    end)
  end
  return nn.relu(y + x)
end

-- Two 3×3 convolutions: of ResNet-18 and 34, and of those for CIFAR.
function blocks.basic(x, channels, o)
  local y = blocks.conv(x, channels, 3, {stride = o.stride, name = "conv1"})
  y = nn.relu(nn.batchnorm2d(y, {name = "bn1"}))
  y = blocks.conv(y, channels, 3, {name = "conv2"})
  y = nn.batchnorm2d(y, {name = "bn2", gamma = o.gamma or 1})
  return join(x, y, o)
end

-- 1×1 to a width, 3×3 there, 1×1 to four times the channels: of ResNet-50 and deeper, wide ones, and ResNeXt.
function blocks.bottleneck(x, channels, o)
  local groups = o.groups or 1
  local width = channels * (o.width_per_group or 64) // 64 * groups
  local y = blocks.conv(x, width, 1, {name = "conv1"})
  y = nn.relu(nn.batchnorm2d(y, {name = "bn1"}))
  y = blocks.conv(y, width, 3, {stride = o.stride, groups = groups, name = "conv2"})
  y = nn.relu(nn.batchnorm2d(y, {name = "bn2"}))
  y = blocks.conv(y, 4 * channels, 1, {name = "conv3"})
  y = nn.batchnorm2d(y, {name = "bn3", gamma = o.gamma or 1})
  return join(x, y, o)
end

-- `count` blocks named NAME.0, NAME.1, …; the first has the stride of `o`.
function blocks.stage(name, block, x, channels, count, o)
  local each = {}
  for key, value in pairs(o) do each[key] = value end
  for i = 0, count - 1 do
    if i > 0 then each.stride = 1 end
    x = nn.scope(name .. "." .. i, block, x, channels, each)
  end
  return x
end

return blocks
