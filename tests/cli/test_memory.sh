# test_memory.sh: a device that is too small: what a step takes is named, and what is said to help does. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

cat >wide.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 16, epochs = 1, optimizer = "adam", lr = 0.001},
  network = function(x) return nn.linear(nn.linear(nn.flatten(x), 1000), 10) end,
}
END
cat >deep.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 16, epochs = 1, optimizer = "sgd", lr = 0.001},
  network = function(x)
    for _ = 1, 4 do x = nn.relu(nn.conv2d(x, 8, {kernel = 3, padding = 1})) end
    return nn.linear(nn.global_avgpool(x), 10)
  end,
}
END
loss_of() { sed -n 's/.*"loss":\([0-9.]*\).*/\1/p' "$1"; }
# The same, of little work.
sed 's/kernel = 3, padding = 1/kernel = 1/' deep.lua >slim.lua
train() { run "$1" train wide.lua --backend reference --max-steps 1 --batch 1 --out run "${@:2}"; }

# The weights alone are too much.
SKIPPER_MEMORY=2 train 1
in_err '3.0 MiB (more )?are needed'
in_err '^ *To judge 1 image takes 3\.[0-9] MiB: weights 3\.0'
in_err '^ *To train on 1 image takes 12\.[0-9] MiB: weights 3\.0, gradients 3\.0, the optimizer.s momentum 6\.1'
in_err '^ *The network is too large for this device'
grep -q -- --batch err && fail "a smaller batch is said to help a network that does not fit"

# What is not needed to learn is too much: the one way out is named, and is one.
SKIPPER_MEMORY=10 train 1
in_err '^ *To train on 1 image takes .*momentum 6\.1'
in_err '^ *What helps: --optimizer sgd --momentum 0 \(6\.1 less\)\.$'
SKIPPER_MEMORY=10 train 0 --optimizer sgd --momentum 0
SKIPPER_MEMORY=14 train 1 --ema 0.9
in_err 'momentum 6\.1, averages 3\.0'
in_err '^ *What helps: --optimizer sgd --momentum 0 \(6\.1 less\), or --ema 0 \(3\.0 less\)\.$'
SKIPPER_MEMORY=14 train 0
SKIPPER_MEMORY=4 train 1
in_err '^ *The network is too large for this device'

# Activations are too much: whoever makes steps makes them in parts.
SKIPPER_MEMORY=4 run 0 bench deep.lua --backend reference --batch 256 --steps 1 --json
in_err 'go through the network [0-9]+ at a time'
awk -v x="$(loss_of out)" 'BEGIN { exit !(x > 1 && x < 4) }' || fail "the loss is $(loss_of out)"
run 0 bench deep.lua --backend reference --batch 256 --steps 1
not_in_err 'at a time'
in_out '^2\.[0-9]+ is the loss'
SKIPPER_MEMORY=4 run 0 bench slim.lua --backend reference --batch 256 --steps 1 --mode eval
SKIPPER_MEMORY=4 run 0 train slim.lua --backend reference --batch 256 --max-steps 1 --out parts
in_err 'go through the network [0-9]+ at a time'
SKIPPER_MEMORY=4 run 0 eval parts/last.safetensors --backend reference --batch 256 --json
mv out in_parts
run 0 eval parts/last.safetensors --backend reference --batch 256 --json
[ "$(loss_of in_parts)" = "$(loss_of out)" ] || fail "in parts the answers are others"
SKIPPER_MEMORY=2 run 0 lr slim.lua --backend reference --batch 32 --curve parts.csv
in_err 'go through the network [0-9]+ at a time'
run 0 lr slim.lua --backend reference --batch 32 --curve whole.csv
not_in_err 'at a time'
run 0 lr slim.lua --backend reference --batch 32 --accumulate 4 --curve four.csv
for parts in parts.csv four.csv; do
  paste -d, whole.csv $parts | awk -F, 'NR > 1 && NR < 20 && ($3 - $7) ^ 2 > 1e-10 { exit 1 }' || fail "$parts differs from whole.csv"
done

# What hardly saves anything is no help, also where hardly anything lacks.
advised=0
for memory in $(LC_ALL=C seq 0.215 0.001 0.235); do
  SKIPPER_MEMORY=$memory "$skipper" train deep.lua --backend reference --momentum 0.9 --batch 1 --max-steps 1 --out small >out 2>err && continue
  grep -q '^ *What helps' err && advised=$((advised + 1))
  called="skipper train with $memory MiB"
  not_in_err '\(0\.0 less\)'
done
[ $advised -gt 0 ] || fail "no memory is too small"
