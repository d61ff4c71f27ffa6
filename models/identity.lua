-- Two residual blocks whose shortcut is the identity: y = relu(x + F(x)).

local function block(name, x)
  return nn.scope(name, function()
    local y = nn.conv2d(x, 4, {kernel = 1})              -- NAME.0
    y = nn.batchnorm2d(y)                                -- NAME.1
    y = nn.relu(y)                                       -- NAME.2
    y = nn.conv2d(y, 1, {kernel = 3, padding = 1})       -- NAME.3
    y = nn.batchnorm2d(y)                                -- NAME.4
    return nn.relu(x + y)
  end)
end

return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 128, epochs = 10, optimizer = "adam", lr = 0.01},

  network = function(x)
    x = block("block_1", x)
    x = block("block_2", x)
    return nn.linear(nn.flatten(x), 10, {name = "linear_1"})
  end,
}
