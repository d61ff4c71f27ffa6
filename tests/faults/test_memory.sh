# test_memory.sh: the Nth malloc, calloc or realloc of a call fails. It ends with an error or with the right result, never by a
# signal; what it writes is right or not there, what it reads stays as it is. FAULT_STRIDE=1: each N, and one in five on a device.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
layer=$SKP_LAYERS/liblayer_memory.so
stride=${FAULT_STRIDE:-193}
RANDOM=${FAULT_SEED:-5}
idx set train 96 28 $(seq 0 95 | sed 's/.*\(.\)/\1/')
idx set t10k 10 28 0 1 2 3 4 5 6 7 8 9
export SKIPPER_BACKEND=reference
also=0
options="--data set --batch 16 --epochs 2 --optimizer adam --lr 0.01"
corpus=$SKP_SOURCE_DIR/tests/fuzz/corpus
pictures=
for name in grey.jpg grey.png tiff_rgb_None.tif bmp_rgba.bmp gif_87.gif webp_icc.webp; do pictures="$pictures $corpus/image/$name"; done

run 0 train tiny.lua $options --max-steps 6 --out net
run 0 train tiny.lua $options --max-steps 4 --out half
run 0 export net --onnx net.onnx

# What does not depend on the time, of the folder or file `result`.
written() {
  [ ! -f result ] || sha256sum <result
  [ ! -d result ] || (cd result && sha256sum -- *.safetensors && cut -d, -f1-6 results.csv && sed 's/"img_per_s".*//' log.jsonl) 2>/dev/null |
    grep -v ' state.safetensors' # it has the seconds
}
timeless() { sed 's/"img_per_s":[^,]*//; s/[0-9: ]*images\/s.*//; s/ in [0-9.]* s.*//' "$1"; }
begin() {
  rm -rf result
  [ -z "$from" ] || cp -r "$from" result
}

# each FROM WORD…: the call, with a copy of FROM (if any) as `result`, once without a fault, then with.
each() {
  from=$1
  local calls n got failed=0
  shift
  begin
  run 0 "$@"
  timeless out >right.out
  written >right
  begin
  timeout "${SKP_RUN_SECONDS:-300}" env LD_PRELOAD="$layer" FAULT_COUNT="$dir/calls" "$skipper" "$@" >out 2>err </dev/null || fail "$called under the layer"
  calls=$(cat calls)
  for ((n = 1 + RANDOM % stride; n <= calls; n += stride)); do
    begin
    got=0
    called="FAULT_AT=$n skipper $*"
    (timeout "${SKP_RUN_SECONDS:-300}" env LD_PRELOAD="$layer" FAULT_AT=$n "$skipper" "$@" >out 2>err </dev/null; exit $?) 2>/dev/null || got=$?
    case $got in
    0)
      timeless out | cmp - right.out || fail "$called: another answer"
      written | cmp - right || fail "$called: another result"
      ;;
    1 | 6 | $also)
      failed=$((failed + 1))
      [ -s err ] || fail "$called: nothing is said"
      ! grep -q ' 0 bytes' err || fail "$called: it asked for nothing"
      [ ! -f result ] || written | cmp - right || fail "$called: a file that is not whole"
      ;;
    *) fail "$called: status $got" ;;
    esac
    [ -z "$(find . -name '*.tmp')" ] || fail "$called: left behind: $(find . -name '*.tmp')"
    [ "$got" = 0 ] || [ ! -e result/state.safetensors ] || goes_on
  done
  echo "$1: $calls calls, of those that failed $failed ended it"
}
# A run that failed can go on from its state, to the right weights.
goes_on() {
  local after=$called
  run 0 train --resume result --max-steps 6
  cmp result/last.safetensors net/last.safetensors || fail "$after, then $called: other weights"
}

before=$(find set net half net.onnx tiny.lua -type f -exec sha256sum {} +)
each '' summary tiny.lua
each '' predict net $pictures
each '' predict net --json $pictures
each '' predict net --data set --logits result
each '' predict net.onnx "$corpus/image/grey.png"
each '' export net --onnx result
each '' eval net --data set --json
each '' train tiny.lua $options --max-steps 6 --out result
each half train --resume result --max-steps 6

# By a driver: its memory is its own, and what the C library takes may be the driver's; other libraries that both use may make it fail.
unset SKIPPER_BACKEND
export SKIPPER_CACHE=$dir/cache FAULT_SPARE=/libc.so
if "$skipper" devices | grep -q '^\* '; then
  also=4
  [ "$stride" -gt 1 ] || stride=5
  run 0 train tiny.lua $options --max-steps 6 --out net
  run 0 train tiny.lua $options --max-steps 4 --out half
  before=$(find set net half net.onnx tiny.lua -type f -exec sha256sum {} +)
  each '' train tiny.lua $options --max-steps 6 --out result
  each half train --resume result --max-steps 6
fi
[ "$before" = "$(find set net half net.onnx tiny.lua -type f -exec sha256sum {} +)" ] || fail "a file that is only read was changed"
echo ok
