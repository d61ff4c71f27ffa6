-- Two residual blocks that halve the image; the shortcut resizes along: y = relu(F(x) + G(x)).

local function block(name, x, inner, outer)
  return nn.scope(name, function()
    local y = nn.scope("block", function()
      local y = nn.conv2d(x, inner, {kernel = 3, stride = 2, padding = 1})
      y = nn.relu(nn.batchnorm2d(y))
      y = nn.conv2d(y, outer, {kernel = 1})
      return nn.batchnorm2d(y)
    end)
    local shortcut = nn.scope("shortcut", function()
      return nn.batchnorm2d(nn.conv2d(x, outer, {kernel = 1, stride = 2}))
    end)
    return nn.relu(y + shortcut)
  end)
end

return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 128, epochs = 10, optimizer = "adam", lr = 0.01},

  network = function(x)
    x = block("residual_block_1", x, 4, 8)      -- 28×28×1 to 14×14×8
    x = block("residual_block_2", x, 16, 32)    -- 14×14×8 to 7×7×32
    return nn.linear(nn.flatten(x), 10, {name = "linear_1"})
  end,
}
