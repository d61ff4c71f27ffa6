# Exit statuses tell scripts what failed. SPDX-License-Identifier: MIT
. "$SKP_SOURCE_DIR/tests/cli/lib.sh"
export SKIPPER_BACKEND=reference

# code STATUS WORD…: a call that must fail with exactly this status.
code() {
  local want=$1 got=0
  shift
  timeout "${SKP_RUN_SECONDS:-300}" "$skipper" "$@" >out 2>err </dev/null || got=$?
  [ "$got" = "$want" ] || fail "skipper $*: exit status $got, not $want"
}

code 2 train tiny.lua --epochs many
code 2 no-such-command
idx set train 20 28 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9
head -c 100 set/train-images-idx3-ubyte >cut && cp cut set/train-images-idx3-ubyte
code 3 train tiny.lua --data set --out run
echo 'return {' >bad.lua
code 3 summary bad.lua
echo 'no weights' >bad.safetensors
code 3 predict bad.safetensors picture.png
SKIPPER_BACKEND=opencl code 4 train tiny.lua --device no-such-device --out run
code 5 train tiny.lua --lr 1e6 --momentum 0.99 --weight-decay 1 --out run
code 6 train no-such-file.lua --out run
if [ -w /dev/full ]; then
  got=0
  "$skipper" summary tiny.lua >/dev/full 2>err || got=$?
  [ "$got" = 6 ] || fail "a full disk: exit status $got, not 6"
fi
exit 0
