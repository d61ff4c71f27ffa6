-- Networks in which flattened maps, and rows of numbers that are none, meet: their features must have PyTorch's order everywhere.

local function conv(name, x, channels, kernel, options)
  options = options or {}
  options.kernel, options.name = kernel, name
  return nn.conv2d(x, channels, options)
end

local function linear(name, x, outputs) return nn.linear(x, outputs, {name = name}) end

local networks = {
  -- The second linear layer has as many inputs as the map before the first has values.
  chain = function(x)
    x = nn.relu(linear("b", nn.flatten(conv("a", x, 4, 3)), 144))
    return linear("d", nn.relu(linear("c", x, 144)), 10)
  end,
  -- Two maps of different shapes with equally many values.
  maps = function(x)
    return linear("c", nn.flatten(conv("a", x, 4, 3)) + nn.flatten(conv("b", x, 9, 5)), 10)
  end,
  -- A map and rows that are none, in both orders, after what keeps the order.
  rows = function(x)
    local map = nn.dropout(nn.relu(nn.flatten(nn.flatten(conv("a", x, 4, 3)))))
    local y = linear("b", nn.flatten(x), 144) + map
    return linear("d", nn.relu(map + linear("c", y, 144)), 10)
  end,
  -- Pixels as rows, with shortcuts around linear layers.
  pixels = function(x)
    x = nn.flatten(x)
    x = nn.relu(x + linear("a", x, 192))
    x = nn.relu(x + linear("b", x, 192))
    return linear("c", x, 10)
  end,
  -- Maps of the same shape, of one channel, of one pixel.
  alike = function(x)
    local y = nn.flatten(nn.maxpool2d(conv("a", x, 16, 3, {padding = 1}), {kernel = 4}))
    y = y + nn.flatten(conv("b", x, 16, 4, {stride = 4}))
    y = y + nn.flatten(conv("c", x, 1, 1)) + nn.flatten(conv("d", x, 64, 8)) + linear("e", y, 64)
    return linear("f", y, 10)
  end,
  -- The answers are a map, and the same through what reads it otherwise.
  answers = function(x)
    local y = nn.flatten(conv("a", x, 5, 7))
    return nn.relu(y + nn.flatten(conv("b", x, 5, 7))) + linear("c", y, 20)
  end,
  map = function(x) return nn.flatten(conv("a", x, 4, 6)) end,
}

return {
  input = {channels = 3, size = 8},
  args = {kind = "chain", classes = 10},
  network = function(x, args) return networks[args.kind](x) end,
}
