# test_shards.sh: WebDataset's shards on the command line: training, going on with it in the middle of an epoch, testing, asking.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference
pixel_net 'batch = 8, epochs = 3, lr = 0.01, flip = true'

# shard FILE FROM TO: pictures FROM … TO - 1, of which the class is what is left of their number by 4.
shard() {
  local i keys=
  mkdir -p parts "$(dirname "$1")"
  for ((i = $2; i < $3; i++)); do
    bmp $((i % 4)) >"$(printf 'parts/%06d.bmp' "$i")"
    echo $((i % 4)) >"$(printf 'parts/%06d.cls' "$i")"
    echo '{"made": "here"}' >"$(printf 'parts/%06d.json' "$i")"
    keys+=" $(printf '%06d.bmp %06d.cls %06d.json' "$i" "$i" "$i")"
  done
  tar -C parts -cf "$1" $keys
}
shard set/train-000000.tar 0 21
shard set/train-000001.tar 21 40
shard set/train-000002.tar 40 52
shard set/test-000000.tar 60 71

run 0 train pixel.lua --data set --save-every 1steps --out whole
in_err 'set: 52 images to train on, 11 to test with, 4 classes'
[ "$(grep -c '"step"' whole/log.jsonl)" = 21 ] || fail "not 3 epochs of 7 steps"
# In the middle of an epoch, of a shard, and twice.
run 0 train pixel.lua --data set --out part --max-steps 3
run 0 train --resume part --max-steps 10
run 0 train --resume part --max-steps 21
same whole part
# Killed in the middle of it.
run 0 train pixel.lua --data set --out other --seed 2
! cmp -s whole/last.safetensors other/last.safetensors || fail "the order of images changes nothing"
"$skipper" train pixel.lua --data set --save-every 1steps --epochs 3000 --out killed >out 2>err </dev/null &
pid=$!
await killed/state.safetensors
kill -9 $pid
wait $pid 2>/dev/null
steps=$(($(grep -c '"step"' killed/log.jsonl) + 7))
run 0 train --resume killed --max-steps $steps
run 0 train pixel.lua --data set --epochs 3000 --max-steps $steps --out straight
same straight killed

# The same pictures in folders, and in an archive of these, are the same test.
run 0 train pixel.lua --data set --max-steps 0 --out fresh
for i in $(seq 60 70); do
  mkdir -p folders/test/$((i % 4))
  cp "parts/$(printf '%06d' "$i").bmp" folders/test/$((i % 4))
done
tar -cf packed.tar folders
for data in set folders packed.tar; do
  run 0 eval fresh --data $data --json
  grep -o '"accuracy":[0-9.]*,"top5":[0-9.]*,"loss":[0-9.]*,"n":[0-9]*' out >of.$(basename $data)
done
grep -q '"accuracy":1,.*"n":11$' of.set || fail "eval of shards: $(cat of.set)"
for data in folders packed.tar; do
  sed 's/"loss":\([0-9]*\.[0-9]\{5\}\)[0-9]*/"loss":\1/' of.set | cmp -s - <(sed 's/"loss":\([0-9]*\.[0-9]\{5\}\)[0-9]*/"loss":\1/' of.$data) || fail "$data: $(cat of.$data), shards: $(cat of.set)"
done
run 0 predict fresh --data set --logits logits.safetensors
in_out 'logits of 11 images'

# One shard alone; one that is cut; one of which a picture is none.
run 0 train pixel.lua --data set/train-000001.tar --set classes=4 --max-steps 1 --out alone
in_err '19 images to train on'
mkdir cut damaged
head -c 9000 set/train-000000.tar >cut/train-000000.tar
refuse 3 'cut/train-000000.tar' train pixel.lua --data cut --out bad
echo 'no picture' >parts/000002.bmp
tar -C parts -cf damaged/train-000000.tar 00000{0,1,2,3,4,5,6,7}.{bmp,cls}
run 0 train pixel.lua --data damaged --max-steps 1 --out borne
in_err '000002.bmp'
refuse 3 '000002.bmp' train pixel.lua --data damaged --strict --out bad
