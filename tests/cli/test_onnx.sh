# test_onnx.sh: networks to ONNX files and from them, as a user calls it. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

run 0 train tiny.lua --max-steps 0 --out run --backend reference
run 0 export run --onnx net.onnx
in_err 'net.onnx: input 1×1×28×28, logits 1×10'
quiet_out
run 0 export run/last.safetensors --onnx every.onnx --dynamic-batch --fold --with-preprocessing --opset 21
in_err 'every.onnx: input N×1×28×28, logits N×10'
in_file net.onnx fc.weight class_names skipper
in_file every.onnx fc.weight class_names skipper Cast # bytes of images
not_in_file net.onnx Cast
cp net.onnx before.onnx
run 0 export run --onnx net.onnx
cmp -s net.onnx before.onnx || fail "the same network gave other bytes"

refuse 2 '--onnx FILE' export run
refuse 2 '13 to 21 here, not 12' export run --onnx net.onnx --opset 12
refuse 2 'tiny.lua is a network without weights' export tiny.lua --onnx net.onnx
refuse 1 'nowhere' export run --onnx nowhere/net.onnx
cmp -s net.onnx before.onnx || fail "a refused call changed the file"

# From a file: the same answers, and a network that can be trained, for other classes too.
run 0 predict run/last.safetensors --data digits --logits a.safetensors --backend reference
run 0 predict net.onnx --data digits --logits b.safetensors --backend reference
cmp -s a.safetensors b.safetensors || fail "the network from the file answers otherwise"
run 0 predict every.onnx --data digits --logits b.safetensors --backend reference
run 0 eval net.onnx --data digits --backend reference
in_out 'accuracy'
run 0 summary net.onnx --backend reference
in_out '^fc +linear'
run 0 train net.onnx --data digits --max-steps 2 --out again --backend reference
in_err '2 weights loaded from net.onnx, 0 left'
in_err 'Mean and std of the pixels are those'
run 0 train --resume again --max-steps 4 --backend reference
sample=$SKP_SOURCE_DIR/tests/fuzz/corpus/onnx/mean_dynamo
cp "$sample" other.onnx
run 0 train other.onnx --data shapes --max-steps 1 --out shapes --backend reference
in_err 'The head fc begins anew: 5 classes in the file, 10 here'
in_err 'does not say how pixels were normalised; weights of torchvision expect'
run 0 predict other.onnx --data shapes --labels number --logits c.safetensors --backend reference
in_err 'other.onnx does not say how pixels were normalised'
run 0 predict other.onnx --data shapes --labels number --mean imagenet --logits c.safetensors --backend reference
not_in_err 'how pixels'
LC_ALL=C sed 's/HardSwish/HardSwosh/g' other.onnx >strange.onnx
refuse 1 'strange.onnx: node ".*" \(HardSwosh\): no layer here does what this operator does' eval strange.onnx --data shapes
head -c 3000 other.onnx >cut.onnx
refuse 1 'cut.onnx is no ONNX file, or a damaged one' train cut.onnx --data shapes
