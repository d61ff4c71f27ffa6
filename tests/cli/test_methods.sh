# test_methods.sh: a run keeps the methods that it began with, also where a better one could not be had for a while. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export OPENCL_LAYERS=${SKP_BINARY_DIR:?}/tests/libfault_layer.so FAULTS_LOG=$dir/faults SKIPPER_TRUST=1
cat >net.lua <<'END_OF_NET'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 32, epochs = 1, optimizer = "sgd", lr = 0.05, momentum = 0.9},
  network = function(x)
    x = nn.relu(nn.conv2d(x, 8, {kernel = 3}))
    x = nn.relu(nn.conv2d(x, 16, {kernel = 3, stride = 2}))
    return nn.linear(nn.flatten(x), 10, {name = "fc"})
  end,
}
END_OF_NET
train="train net.lua --max-steps 12 --save-every 2steps"
fault="clBuildProgram/*conv2d_cpu*=-11"
missing='Methods that the run had cannot be had again: linear[a-z_]* [^,]+, .* by cpu '
same_weights() { cmp "$1/last.safetensors" "$2/last.safetensors" || fail "the weights of $1 and $2 differ"; }
differ() { ! cmp -s "$1/last.safetensors" "$2/last.safetensors" || fail "the weights of $1 and $2 are the same: the fault changed nothing"; }
killed() { # killed CACHE FOLDER FAULT…: a run that dies in its ninth step
  SKIPPER_CACHE=$dir/$1 FAULTS=$3clEnqueueNDRangeKernel/sgd@9=abort "$skipper" $train --out "$2" >out 2>err && fail "the run ended by itself"
  [ -f "$2/state.safetensors" ] || fail "$2 has no state"
}

# What takes the place of a kernel that does not compile makes other bits, and stays: also when the run goes on and the kernel compiles.
SKIPPER_CACHE=$dir/sound run 0 $train --out sound
SKIPPER_CACHE=$dir/faulty FAULTS=$fault run 0 $train --out other
if ! grep -q clBuildProgram faults; then
  FAULTS=clFlush=-5 "$skipper" $train --out none >out 2>err
  ! grep -q clFlush faults || ! "$skipper" devices | grep -A1 '^\* ' | grep -q 'CPU of Portable Computing' ||
    fail "no program of PoCL's is named conv2d_cpu: the fault hits none"
  echo "no layers in this loader, or no cl/conv2d_cpu.cl among the device's methods"
  exit 77
fi
differ sound other
killed faulty broken $fault,
cp -r broken moved && cp -r broken forced
SKIPPER_CACHE=$dir/sound run 0 train --resume broken
same_weights other broken
not_in_err 'Methods that'

# The other way round: one that the run had cannot be had again, or is not wanted any more. It is said, once, and the run goes on.
killed sound sound_broken ""
cp -r sound_broken again
SKIPPER_CACHE=$dir/none FAULTS=$fault run 0 train --resume sound_broken
in_err "$missing\(does not compile\), now .*; and [0-9]+ more\. Its results may differ"
differ sound sound_broken
SKIPPER_CACHE=$dir/sound run 0 train --resume again
same_weights sound again
SKIPPER_CACHE=$dir/sound SKIPPER_METHOD=linear=cpu run 0 train --resume forced
in_err 'linear [^(]*, by direct \(another is forced\), now cpu'

# Another device has methods of its own.
SKIPPER_BACKEND=reference run 0 train --resume moved
in_err 'the run began on .*: results will differ'
not_in_err 'Methods that'
