# test_idle.sh: layers that lead nowhere are named, by summary and before a training. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

cat >branch.lua <<'END_OF_FILE'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "adamw", lr = 0.1, weight_decay = 0.1},
  network = function(x)
    x = nn.flatten(x)
    nn.relu(nn.linear(nn.scope("side", function() return nn.linear(x, 16, {name = "a"}) end), 4, {name = "aux"}))
    return nn.linear(x, 10, {name = "fc"})
  end,
}
END_OF_FILE
run 0 summary branch.lua
[ "$(grep -c 'leads nowhere: no prediction depends on it$' out)" = 3 ] || fail "summary names others: $(cat out)"
in_out '^aux .* leads nowhere'
run 0 summary branch.lua --json
[ "$(grep -o '"leads_nowhere":true' out | wc -l)" = 3 ] || fail "programs hear of others: $(cat out)"
run 0 train branch.lua --max-steps 2 --out branch
in_err '^ +no prediction depends on side.a, aux: their parameters stay as they are$'
run 0 train tiny.lua --max-steps 2 --out tiny
not_in_err 'no prediction depends'

# Where that is all there is, nothing can be trained.
cat >idle.lua <<'END_OF_FILE'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x)
    nn.linear(nn.flatten(x), 4)
    x = nn.flatten(nn.global_avgpool(x))
    return nn.concat(x, x, x, x, x, x, x, x, x, x)
  end,
}
END_OF_FILE
refuse 1 'No prediction depends on any parameter of the network: there is nothing to train' train idle.lua --out idle
echo ok
