# test_precision.sh: training in mixed precision: the same bits twice, exact resuming, checkpoints in float32, what is refused.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
cat >small.lua <<'EOF'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "adam", lr = 0.01},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 16, {kernel = 3, stride = 2, padding = 1, bias = false})))
    local y = nn.batchnorm2d(nn.conv2d(x, 16, {kernel = 3, padding = 1}))
    x = nn.maxpool2d(nn.relu(x + y), {kernel = 2})
    return nn.linear(nn.flatten(nn.global_avgpool(nn.relu(nn.conv2d(x, 32, {kernel = 3})))), 10)
  end,
}
EOF

# Twice the same bits; stopped and resumed, too.
run 0 train small.lua --precision mixed --max-steps 40 --out whole
run 0 train small.lua --precision mixed --max-steps 40 --out again
cmp whole/last.safetensors again/last.safetensors || fail "two runs differ"
run 0 train small.lua --precision mixed --max-steps 17 --out parts
run 0 train --resume parts --max-steps 40
cmp whole/last.safetensors parts/last.safetensors || fail "the resumed run differs"
run 0 train small.lua --max-steps 40 --out float
! cmp -s whole/last.safetensors float/last.safetensors || fail "mixed precision changes nothing"

# What is kept is float32, and says how it was trained.
head -c 20000 whole/last.safetensors | grep -aq '"F32"' || fail "no float32 in the checkpoint"
! head -c 20000 whole/last.safetensors | grep -aq 'BF16' || fail "bfloat16 in the checkpoint"
grep -aq 'precision.\{1,9\}mixed' whole/config.json || fail "config.json does not say the precision"

run 0 train tiny.lua --precision mixed --max-steps 1 --out none
in_err '--precision mixed changes nothing here: no convolution'

# It learns as float does, and either precision tests either's weights.
run 0 train small.lua --precision mixed --epochs 2 --out long
not_in_err 'changes nothing'
accuracy() { grep -o '"accuracy":[0-9.]*' out | head -1 | cut -d: -f2; }
run 0 eval long/last.safetensors --data digits --json
mixed=$(accuracy)
run 0 eval long/last.safetensors --data digits --precision float --json
awk -v a="$mixed" -v b="$(accuracy)" 'BEGIN {exit !(a > 0.8 && a - b < 0.01 && b - a < 0.01)}' || fail "accuracies $mixed, $(accuracy)"
run 0 eval float/last.safetensors --data digits --precision mixed
run 0 predict long/last.safetensors --data digits --logits logits.safetensors
head -c 2000 logits.safetensors | grep -aq '"F32"' || fail "logits are not float32"

# Half of the bytes for what lives within a step.
bytes() { grep -o '"training":{"activations":[0-9]*' out | grep -o '[0-9]*$'; }
run 0 summary small.lua --batch 256 --json
float=$(bytes)
run 0 summary small.lua --batch 256 --precision mixed --json
[ -n "$float" ] && [ "$(bytes)" -lt $((float * 7 / 10)) ] || fail "activations take $(bytes) bytes, $float in float"

# What there is not.
refuse 2 'There is no precision "half"' train small.lua --precision half
refuse 2 'There are float, mixed\.' bench small.lua --precision bfloat16
refuse 2 'precision mixed' train small.lua --amp
