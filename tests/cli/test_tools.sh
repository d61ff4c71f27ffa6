# test_tools.sh: summary, bench, lr and selftest. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

run 0 summary "$models/resize.lua" --batch 2
in_out '^residual_block_1\.shortcut\.0 +conv2d +2×14×14×8 +16 '
in_out '^total +17 986 '
in_out '^Training, .* fits '
in_out '^Evaluation fits '
in_out '^  gradients +[0-9.]+ KiB +0 B$'
export SKIPPER_MEMORY=1000
run 0 summary "$models/resize.lua" --backend reference --batch 1000000
in_out '^  together +too large '
largest=$(sed -n 's/^Training.* does not fit .*largest batch that fits is \([0-9]*\)\.$/\1/p' out)
run 0 summary "$models/resize.lua" --backend reference --batch "$largest"
in_out '^Training, .* fits '
run 0 summary "$models/resize.lua" --backend reference --batch $((largest + 1)) --json
in_out "\"training\":\{.*\"fits\":false,\"largest_batch\":$largest\}"
# The images alone are more values than any device takes: what one takes is known all the same.
run 0 summary tiny.lua --backend reference --size 64 --batch 1048576
in_out '^fc +linear +1048576×10 +40 970 +85 '
in_out '^Training, .* largest batch that fits is [1-9][0-9]+\.$'
refuse 1 'A smaller batch or image is needed' bench tiny.lua --backend reference --size 64 --batch 1048576
unset SKIPPER_MEMORY
SKIPPER_PLATFORM=none run 0 summary tiny.lua --batch 8
in_err '^No device was opened'
in_out '^  parameters +31.5 KiB +31.5 KiB$'
run 0 summary tiny.lua --size 32
in_out '^fc +linear +64×10 +10 250 '

for mode in train eval; do
  run 0 bench tiny.lua --mode $mode --batch 8 --steps 3 --json
  for key in img_per_s best_img_per_s peak_rss_mib device_mib cold_start_s gflops; do in_out "\"$key\":[0-9.e+-]+"; done
done
run 0 bench tiny.lua --batch 8 --steps 3
in_out '^[0-9. ]+ images/s, the median'

# A step in parts: less room for activations and images, the same work; uneven parts too.
run 0 summary "$models/resize.lua" --batch 64 --json
whole=$(cat out)
run 0 summary "$models/resize.lua" --batch 64 --accumulate 3 --json
training() { sed 's/.*"training":\({[^}]*}\).*/\1/' | grep -o "\"$1\":[0-9.e+]*" | cut -d: -f2; }
for key in activations inputs total; do
  awk "BEGIN {exit !($(training $key <out) < $(echo "$whole" | training $key))}" || fail "three parts take no less: $key"
done
[ "$(training parameters <out)" = "$(echo "$whole" | training parameters)" ] || fail "the parameters count more than once"
run 0 summary tiny.lua --accumulate 4
in_out '^Device memory for a batch of 64 in 4 micro-batches +training'
run 0 bench tiny.lua --batch 8 --accumulate 3 --steps 3 --json --backend reference
in_out '"batch":8,"ops":[0-9]+,"launches":[0-9]+'
parts=$(sed 's/.*"launches":\([0-9]*\).*/\1/' out)
run 0 bench tiny.lua --batch 8 --steps 3 --json --backend reference
[ "$parts" -gt "$((2 * $(sed 's/.*"launches":\([0-9]*\).*/\1/' out)))" ] || fail "three parts have $parts launches"

run 0 bench tiny.lua --batch 8 --steps 1 --layers
in_out '^ +[0-9.]+ +[0-9.]+ +[0-9.]+( +[0-9]+ +[0-9]+ (FMA|memory) *)?  fc +linear_dw +[a-z0-9_]+ +8×784, .* -> 28×28×1×10  \([a-z0-9_]+ [0-9.]+'
in_out '^ +[0-9.]+ +[0-9.]+ +[0-9.]+  1 +linear '
# What is not finite is not measured: there the shares of time add up to all of it, and the sums to the layers.
run 0 bench tiny.lua --batch 8 --steps 1 --layers --backend reference
awk '/^ +ms/ { table++ } table && NF > 5 && $1 + 0 > 0 && !/launches, each/ { ms[table] += $1; share[table] += $2 }
  /ms in all launches/ { all = $1 } END { for (i = 1; i <= 2; i++) if (share[i] < 99 || share[i] > 101 || ms[i] < 0.99 * all - 0.01 || ms[i] > 1.01 * all + 0.01) exit 1
  exit table != 2 }' out || fail "times of layers and of operations do not add up: $(cat out)"
run 0 bench tiny.lua --batch 8 --steps 1 --layers --json --backend reference
! grep -Eq 'kinds|fma_share|peaks' out || fail "shares of what cannot be measured"
in_out '"layer":"fc","operation":"linear","method":"reference","shapes":"[^"]*","ms":[0-9.e-]+,"gflops":[0-9.e-]+,"launches":\[\{"name":"reference","ms":'

# Shares of what the device does at best: where that can be measured it is kept.
export SKIPPER_CACHE=$PWD/own-cache
"$skipper" bench --peak --json >peaks 2>err && peaks=1 || peaks=
[ "$peaks" ] || ! "$skipper" devices | grep -A1 '^\* ' | grep -q 'CPU of Portable Computing' || fail "PoCL's peaks cannot be measured: $(cat err)"
if [ "$peaks" ]; then
  grep -Eq '"fma_gflops":[0-9.e+]+,"bfloat16_gflops":[0-9.e+]+,"read_gb_per_s":[0-9.e+]+,' peaks || fail "peaks: $(cat peaks)"
  file=$(sed 's/.*"file":"\([^"]*\)".*/\1/' peaks)
  "$skipper" devices --json | grep -Eq '"measured":\{"fma_gflops":[0-9.e+]+' || fail "devices does not show what was measured"
  "$skipper" devices | grep -Eq '^ *measured: [0-9.]+ GFLOP/s, [0-9.]+ GB/s, [0-9.]+ us a launch$' || fail "devices does not say it"
  [ "$file" = "$(echo own-cache/peaks/*.txt | sed "s|^|$PWD/|")" ] || fail "kept in $file"
  sed -i 's/^fma [^ ]*/fma 4e+15/' "$file" # what is read is what is used
  run 0 bench tiny.lua --batch 8 --steps 1 --layers
  in_out '^FMA%, mem%: of what the device does at best, 4000000 GFLOP/s and '
  in_out '^ +[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+ (FMA|memory) +-?[0-9.]+  linear, weight gradients$'
  in_out '^ +[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+ (FMA|memory) +-?[0-9.]+  optimizer$'
  run 0 bench tiny.lua --batch 8 --steps 1 --layers --json
  in_out '"kind":"linear, forward","gb_per_s":[0-9.e-]+,"fma_share":[0-9.e-]+,"memory_share":[0-9.e-]+,"limit":"(FMA|memory)"\}'
  in_out '"peaks":\{"fma_gflops":4000000,'
  in_out '"kinds":\[(\{"kind":"[a-z, ]+","ms":[0-9.e-]+,"left_ms":-?[0-9.e-]+,"fma_share":[0-9.e-]+,"memory_share":[0-9.e-]+,"limit":"(FMA|memory)"\},?)+\]'
fi
unset SKIPPER_CACHE
refuse 2 'without a MODEL' bench tiny.lua --peak
refuse 2 'bench wants MODEL, or --peak' bench
refuse 1 'has no peaks' bench --peak --backend reference

# The learning-rate finder: the same curve each time, and a rate with which the network learns.
run 0 lr tiny.lua --curve first.csv
in_out '^(diverged|ended) after [0-9]+ steps; the curve is in first.csv$'
in_out '^suggestion: --lr [0-9.e-]+ \(tiny uses 0.1\)$'
run 0 lr tiny.lua --curve second.csv --json
in_out '^\{"suggestion":0\.[0-9]+,"lowest":[0-9.]+,"diverged":'
cmp first.csv second.csv || fail "two curves differ"
head -1 first.csv | grep -qx 'step,lr,loss,smoothed_loss' || fail "first.csv: $(head -1 first.csv)"
lr=$(sed 's/.*"suggestion":\([0-9.e-]*\),.*/\1/' out)
awk "BEGIN {exit !($lr >= 0.003 && $lr <= 0.3)}" || fail "suggestion: $lr"
for seed in 2 3 4; do # other images, hardly another rate
  run 0 lr tiny.lua --json --seed $seed
  other=$(sed 's/.*"suggestion":\([0-9.e-]*\),.*/\1/' out)
  awk "BEGIN {exit !($other < 3 * $lr && $lr < 3 * $other)}" || fail "seed $seed: $other, not about $lr"
done
cat >dead.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64},
  network = function(x)
    x = nn.flatten(x)
    for _ = 1, 30 do x = nn.relu(nn.linear(x, 12)) end
    return nn.linear(x, 10)
  end,
}
END
run 0 lr dead.lua --json
in_out '^\{"suggestion":null,'
run 0 lr dead.lua
in_out 'there is nothing to suggest'
refuse 2 'leave out --lr' lr tiny.lua --lr 0.1
refuse 2 'leave out --lr and --schedule' lr tiny.lua --schedule cosine
sed 's/data = "digits", //' tiny.lua >homeless.lua
refuse 2 'names no data; choose some with --data' lr homeless.lua
# A loss that is never finite: there is no curve, and it is said why.
sed 's/nn.relu(nn.linear(x, 12))/nn.mul(x, x)/' dead.lua >grows.lua
for json in '' --json; do
  refuse 5 'very first loss, at the learning rate 1e-06, is not finite\. Check that the pixels are normalised' lr grows.lua --std 1e-6 --backend reference $json
done

run 0 selftest --op relu
tail -1 out | grep -Eqx '[0-9]+ passed, 0 failed' || fail "last line: $(tail -1 out)"
run 0 selftest --op relu --json
in_out '"failed":0'
refuse 2 'no case of an op' selftest --op frobnicate
run 0 selftest --train tiny.lua
in_out '^passed .*: loss off by [0-9.]+e-0[2-9] of 1 \+ loss, weights by [0-9.]+e-0[0-9]$'
run 0 selftest --train tiny.lua --json --batch 4
in_out '^\{"steps":50,"failed":0,"devices":\[\{"device":"[^"]+","passed":true,"loss":[0-9.e-]+,"weights":[0-9.e-]+,"error":""'
refuse 2 'go together' selftest tiny.lua
refuse 2 'go together' selftest --train
refuse 1 'nowhere' selftest --cases nowhere
if [ -d "$SKP_SHARED/golden/ops" ]; then
  run 0 selftest --op relu --cases "$SKP_SHARED/golden"
  tail -1 out | grep -Eqx '[0-9]+ passed, 0 failed' || fail "last line: $(tail -1 out)"
fi
echo ok
