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
train() { run "$1" train wide.lua --backend reference --max-steps 1 --batch 1 --out run "${@:2}"; }

# The weights alone are too much.
SKIPPER_MEMORY=2 train 1
in_err '3.0 MiB (more )?are needed'
in_err '^To judge 1 image takes 3\.[0-9] MiB: weights 3\.0'
in_err '^To train on 1 image takes 12\.[0-9] MiB: weights 3\.0, gradients 3\.0, the optimizer.s momentum 6\.1'
in_err '^The network is too large for this device'
grep -q -- --batch err && fail "a smaller batch is said to help a network that does not fit"

# What is not needed to learn is too much: the one way out is named, and is one.
SKIPPER_MEMORY=10 train 1
in_err '^To train on 1 image takes .*momentum 6\.1'
in_err '^What helps: --optimizer sgd --momentum 0 \(6\.1 less\)\.$'
SKIPPER_MEMORY=10 train 0 --optimizer sgd --momentum 0
SKIPPER_MEMORY=14 train 1 --ema 0.9
in_err 'momentum 6\.1, averages 3\.0'
in_err '^What helps: --optimizer sgd --momentum 0 \(6\.1 less\), or --ema 0 \(3\.0 less\)\.$'
SKIPPER_MEMORY=14 train 0
SKIPPER_MEMORY=4 train 1
in_err '^The network is too large for this device'

# Activations are too much: the batch that is named fits.
SKIPPER_MEMORY=4 run 1 bench deep.lua --backend reference --batch 256 --steps 1
in_err '^To train on 256 images takes .*activations'
batch=$(sed -n 's/^What helps: --batch \([0-9]*\) .*/\1/p' err)
[ -n "$batch" ] || fail "no batch is named"
SKIPPER_MEMORY=4 run 0 bench deep.lua --backend reference --batch "$batch" --steps 1
SKIPPER_MEMORY=4 run 1 bench deep.lua --backend reference --batch $((4 * batch)) --steps 1

# What hardly saves anything is no help, also where hardly anything lacks.
advised=0
for memory in $(LC_ALL=C seq 0.215 0.001 0.235); do
  SKIPPER_MEMORY=$memory "$skipper" train deep.lua --backend reference --momentum 0.9 --batch 1 --max-steps 1 --out small >out 2>err && continue
  grep -q '^What helps' err && advised=$((advised + 1))
  called="skipper train with $memory MiB"
  not_in_err '\(0\.0 less\)'
done
[ $advised -gt 0 ] || fail "no memory is too small"
