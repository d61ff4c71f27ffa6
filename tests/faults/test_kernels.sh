# test_kernels.sh: kernels that do nothing, or make something wrong, without an error from the driver. Training must not go on with
# them: another method takes their place, or it ends with status 4; a line says all that a bug report needs.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
layer=$SKP_LAYERS/libfault_layer.so
export SKIPPER_CACHE=$dir/cache
"$skipper" devices 2>/dev/null | grep -q . || exit 77
small="--max-steps 2 --data digits --out run"

# under MODE KERNELS[@FIRST] WORD…: `run` beneath the layer, by a device that nobody has been asked about yet.
under() {
  local mode=$1 kernels=$2
  shift 2
  rm -rf cache/verified
  export OPENCL_LAYERS=$layer FAULTS=clEnqueueNDRangeKernel/$kernels=$mode
  run "$@"
  unset OPENCL_LAYERS FAULTS
}

# What is right is remembered, once: the file stays as it is, and one that was damaged is written anew.
run 0 train "$models/identity.lua" $small
not_in_err "Wrong results"
file=$(echo cache/verified/*.txt)
[ -f "$file" ] || fail "nothing is remembered in cache/verified"
cp -p "$file" known
run 0 train "$models/identity.lua" $small
cmp -s "$file" known && [ ! "$file" -nt known ] || fail "$file was written again"
sed -i 's/ conv2d / conv3d /' "$file"
run 0 train "$models/identity.lua" $small
cmp -s "$file" known || fail "$file stayed damaged"
for cut in 0 40 1000; do
  head -c $cut known >"$file"
  run 0 train "$models/identity.lua" $small
  cmp -s "$file" known || fail "$file of $cut bytes was believed"
done

# All methods of an op: training ends.
for kernels in 'softmax_cross_entropy*' adam 'conv2d*dw*' 'batchnorm*dx*'; do
  for mode in drop spoil0; do
    under $mode "$kernels" 4 train "$models/identity.lua" $small
    in_err "^Wrong results: .*, skipper [0-9.]+: [a-z0-9_]+ [0-9×, >-]+.* by [a-z_0-9]+: [a-z_]+\[[0-9]+\] .*got .*, want "
    in_err "No method can do .*computes wrongly"
  done
done
for command in "lr $models/identity.lua --data digits" "bench $models/identity.lua" "eval run --data digits" \
  "predict run --data digits --logits answers.safetensors"; do
  [ -d run ] || run 0 train "$models/identity.lua" $small
  under drop 'conv2d*' 4 $command
  in_err "^Wrong results"
done

# One of several: another takes its place, and the network learns as it should.
run 0 train "$models/identity.lua" $small -v
method=$(grep -Eo '^conv2d_dw .*: [a-z_]+' err | sed 's/.*: //' | head -1)
case $method in
  cpu_thin) kernel=conv2d_thin_dw ;;
  cpu) kernel=conv2d_cpu_dw ;;
  igemm) kernel=conv2d_igemm_dw ;;
  tiled) kernel=conv2d_tiled_dw ;;
  *) kernel= ;;
esac
if [ -n "$kernel" ]; then
  cp run/last.safetensors right
  under drop $kernel 0 train "$models/identity.lua" --data digits --epochs 1 --out run
  in_err "^Wrong results: .*: conv2d_dw .* by $method: "
  grep -q '"loss"' run/log.jsonl || fail "nothing was learned"
fi

# A device that goes bad in the middle of a run: step 1000 is the first of which a node is replayed. It ends there, and names what was
# wrong; what was saved before stays as it was. The two kernels of all_finite stay right: their word that something is not finite would
# end the run before.
train="train tiny.lua --batch 16 --epochs 1 --save-every 900steps --out later"
run 0 bench tiny.lua --batch 16 --steps 2 --json
launches=$(($(grep -o '"launches":[0-9]*' out | grep -o '[0-9]*$') - 2))
run 0 $train --max-steps 900
cp later/last.safetensors early
for mode in drop spoil0; do
  under $mode "[!a]*@$((950 * launches))" 4 $train --max-steps 1100
  in_err "Wrong results: .*: step 1000, node [0-9]+ of [^ ]+, [a-z0-9_]+ .* by [a-z_0-9]+: [a-z_]+: got "
  cmp -s later/last.safetensors early || fail "$mode: what was saved at step 900 was changed"
done

# A whole training beside plain C tells it, too, whoever trusts the device.
SKIPPER_TRUST=1 under drop 'conv2d*dw*' 4 selftest --train "$models/identity.lua"
grep -q '^FAILED ' out || fail "$called: nothing failed"

# Whoever trusts the device can say so.
SKIPPER_TRUST=1 under drop adam 0 train "$models/identity.lua" $small
not_in_err "Wrong results"
