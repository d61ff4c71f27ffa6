# test_onnx.sh: networks to ONNX files, as a user calls it. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

run 0 train tiny.lua --max-steps 0 --out run --backend reference
run 0 export run --onnx net.onnx
in_err 'net.onnx: input 1×1×28×28, logits 1×10'
quiet_out
run 0 export run/last.safetensors --onnx every.onnx --dynamic-batch --fold --with-preprocessing --opset 21
in_err 'every.onnx: input N×1×28×28, logits N×10'
for file in net.onnx every.onnx; do
  grep -aq 'fc.weight' $file && grep -aq 'class_names' $file && grep -aq 'skipper' $file || fail "$file lacks names"
done
grep -aq Cast every.onnx || fail "every.onnx takes no bytes"
! grep -aq Cast net.onnx || fail "net.onnx takes bytes"
cp net.onnx before.onnx
run 0 export run --onnx net.onnx
cmp -s net.onnx before.onnx || fail "the same network gave other bytes"

refuse 2 '--onnx FILE' export run
refuse 2 '13 to 21 here, not 12' export run --onnx net.onnx --opset 12
refuse 2 'tiny.lua is a network without weights' export tiny.lua --onnx net.onnx
refuse 1 'nowhere' export run --onnx nowhere/net.onnx
cmp -s net.onnx before.onnx || fail "a refused call changed the file"
