# test_everywhere.sh: the life of a small network on plain C: trained, gone on with, judged, asked about a picture, written as ONNX and read back.
# ci/cross repeats it for other processors and systems, where it must not take long. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference
cat >small.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 16, epochs = 1, optimizer = "adam", lr = 0.01},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 4, {kernel = 3, stride = 2, name = "conv1"}), {name = "norm"}))
    x = nn.maxpool2d(x + nn.relu(nn.conv2d(x, 4, {kernel = 3, padding = 1, name = "conv2"})), {kernel = 2})
    return nn.linear(nn.dropout(nn.flatten(x), {p = 0.2}), 10, {name = "fc"})
  end,
}
END
idx set t10k 20 28 $(seq 0 19 | sed 's/.*\(.\)/\1/')

# Eight steps are four and four, bit for bit.
how="--crop-padding 2 --flip --mixup 0.3 --ema 0.9 --seed 3"
run 0 train small.lua $how --max-steps 8 --out whole
run 0 train small.lua $how --max-steps 4 --out run
run 0 train --resume run --max-steps 8
cmp whole/last.safetensors run/last.safetensors || fail "a run that goes on has other bits"
diff <(untimed whole) <(untimed run) >out || fail "the logs differ"

run 0 eval run --data set
in_out '^accuracy'
bmp 3 >a.bmp
run 0 predict run a.bmp --top 3
in_out '^a\.bmp'
refuse 1 'nowhere\.bmp' predict run nowhere.bmp
run 0 export run --onnx net.onnx
run 0 predict run --data set --logits own
run 0 predict net.onnx --data set --logits read
cmp own read || fail "the network from the ONNX file answers otherwise"
