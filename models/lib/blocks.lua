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

-- A convolution of that name, its batchnorm and an activation (none: `act = false`), numbered as torchvision's Conv2dNormActivation.
function blocks.unit(name, x, channels, kernel, o)
  o = o or {}
  return nn.scope(name, function()
    local y = nn.batchnorm2d(blocks.conv(x, channels, kernel, o), {eps = o.eps or 1e-5, momentum = o.momentum or 0.1})
    return o.act == false and y or (o.act or nn.relu)(y)
  end)
end

-- The multiple of 8 that is nearest, but not below nine tenths: how the numbers of channels of mobile networks are rounded.
function blocks.divisible(channels)
  local rounded = math.max(8, (channels + 4) // 8 * 8)
  return math.tointeger(rounded < 0.9 * channels and rounded + 8 or rounded)
end

-- Squeeze and excitation (Hu et al. 2018): what each channel counts for, from 0 to 1, by what the whole image shows.
-- spread_bias: its biases begin as PyTorch's own, not with zeros.
function blocks.excite(name, x, squeezed, o)
  o = o or {}
  local function all(y, channels, layer)
    return nn.conv2d(y, channels, {
      kernel = 1, name = layer, std = math.sqrt(2 / channels), bias_bound = o.spread_bias and 1 / math.sqrt(y.channels) or 0,
    })
  end
  return x * nn.scope(name, function()
    local y = (o.act or nn.relu)(all(nn.adaptive_avgpool2d(x, 1, {name = "avgpool"}), squeezed, "fc1"))
    return (o.gate or nn.sigmoid)(all(y, x.channels, "fc2"))
  end)
end

-- What a 3×3 patch of a photograph is made of, most first: a pattern over its rows, one over its columns and one over red, green and blue,
-- of the three below, of length 1; and how much this part deviates in CIFAR-10's training images, normalised, with noise of 0.045.
local patterns = {{3 ^ -0.5, 3 ^ -0.5, 3 ^ -0.5}, {2 ^ -0.5, 0, -2 ^ -0.5}, {6 ^ -0.5, -2 * 6 ^ -0.5, 6 ^ -0.5}}
local parts = {
  {1, 1, 1, 4.63}, {1, 1, 2, 1.28}, {1, 2, 1, 1.15}, {2, 1, 1, 1.15}, {1, 1, 3, 0.615}, {2, 2, 1, 0.53}, {1, 3, 1, 0.49}, {3, 1, 1, 0.49},
  {2, 3, 1, 0.275}, {3, 2, 1, 0.275}, {1, 2, 2, 0.167}, {2, 1, 2, 0.167}, {3, 3, 1, 0.154}, {1, 2, 3, 0.109}, {2, 1, 3, 0.109}, {2, 2, 2, 0.06},
}

-- Relu of each part of the 3×3 patches of a colour image, all brought to deviation 1, and of its negative: 32 channels for networks to start
-- from, which learn faster than from pixels: those are nearly the same as their neighbours. Meant to be frozen.
function blocks.whitening(x, o)
  local values = {}
  for sign = 1, -1, -2 do
    for _, part in ipairs(parts) do
      local rows, columns, colours = patterns[part[1]], patterns[part[2]], patterns[part[3]]
      for c = 1, 3 do
        for r = 1, 3 do
          for s = 1, 3 do values[#values + 1] = sign * rows[r] * columns[s] * colours[c] / part[4] end
        end
      end
    end
  end
  return nn.relu(nn.conv2d(x, 2 * #parts, {kernel = 3, padding = 1, bias = false, values = values, name = o.name}))
end

-- y = relu(F(x) + shortcut), where the shortcut is x, or a 1×1 convolution of it where shapes differ. `shortcut = false`: relu(F(x)).
function blocks.join(x, y, o)
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
  return blocks.join(x, y, o)
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
  return blocks.join(x, y, o)
end

local function copy(o)
  local new = {}
  for key, value in pairs(o or {}) do new[key] = value end
  return new
end

-- `count` blocks named NAME.0, NAME.1, …; the first has the stride of `o`.
function blocks.stage(name, block, x, channels, count, o)
  local each = copy(o)
  for i = 0, count - 1 do
    if i > 0 then each.stride = 1 end
    x = nn.scope(name .. "." .. i, block, x, channels, each)
  end
  return x
end

-- What ResNets for photographs begin with: a quarter of the height and width, 64 channels.
function blocks.stem(x)
  x = nn.relu(nn.batchnorm2d(blocks.conv(x, 64, 7, {stride = 2, name = "conv1"}), {name = "bn1"}))
  return nn.maxpool2d(x, {kernel = 3, stride = 2, padding = 1})
end

-- The four stages of such a ResNet, named layer1 to layer4, with `counts` blocks of 64, 128, 256 and 512 channels.
function blocks.stages(x, block, counts, o)
  local each = copy(o)
  for i, count in ipairs(counts) do
    each.stride = i == 1 and 1 or 2
    x = blocks.stage("layer" .. i, block, x, 32 << i, count, each)
  end
  return x
end

return blocks
