# test_limits.sh: devices whose groups have few work-items, or one, and that have no local memory: a network trains there as elsewhere,
# and it is said that this goes slowly. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_CACHE=$dir/cache
"$skipper" devices 2>/dev/null | grep -q . || exit 77
options="--data digits --max-steps 40 --seed 3 --lr 0.01"
loss() { tail -1 "$1/log.jsonl" | grep -o '"loss":[0-9.]*' | cut -d: -f2; }

run 0 train "$models/identity.lua" $options --out free
not_in_err "work-items"
export OPENCL_LAYERS=$SKP_LAYERS/libpose.so
for limits in "1 0" "32 1"; do
  set -- $limits
  export POSE_GROUP=$1 POSE_LOCAL=$2
  run 0 train "$models/identity.lua" $options --out small
  not_in_err "Wrong results"
  in_err "wants (groups of [0-9]+ work-items, $1 are possible|[0-9]+ bytes of local memory, the device has [0-9]+)\\. .*slower"
  [ "$(grep -c slower err)" = 1 ] || fail "it is said more than once"
  awk -v a="$(loss small)" -v b="$(loss free)" 'BEGIN { d = a - b; exit !(d < 0.02 && d > -0.02) }' ||
    fail "groups of $1: the loss is $(loss small), not $(loss free)"
done
for optimizer in sgd lion; do
  run 0 train tiny.lua --optimizer $optimizer --max-steps 2 --out small
done
