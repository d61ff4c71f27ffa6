# test_resume.sh: kill -9 at any moment, go on, and the weights are those of an undisturbed run, bit for bit. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
idx set train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/')
idx set t10k 10 28 0 1 2 3 4 5 6 7 8 9
RANDOM=6 # the moments
sed -i 's/nn.flatten(x)/nn.dropout(nn.flatten(x), {p = 0.2})/' tiny.lua # its masks are drawn anew in each step

# start WORD…: a run in the background; waits until its state is there.
start() {
  "$skipper" train "$@" >out 2>err </dev/null &
  pid=$!
  await run/state.safetensors
}
# killed_now: after a random time of at most $1 ms; fails if the run has ended before.
killed_now() {
  sleep "$(printf '0.%03d' $((RANDOM % $1)))"
  kill -9 $pid 2>/dev/null || return 1
  wait $pid 2>/dev/null
  [ $? = 137 ]
}

# Saving at each step, so that most kills come while it saves; each epoch; each 3 steps with old ones kept. Adam has two moments;
# the averages are saved as weights, and both in the state.
export SKIPPER_BACKEND=reference
adam="--data set --optimizer adam --lr 0.01 --label-smoothing 0.1 --crop-padding 2 --flip --cutout 4 --trivial-augment --rand-augment 9 --mixup 0.3 --cutmix 1 --balanced --ema 0.9 --clip-norm 1"
run 0 train tiny.lua $adam --epochs 30 --out whole
for save in 1steps 1epoch "3steps --keep 2"; do
  rm -rf run
  kills=0
  start tiny.lua $adam --epochs 30 --save-every $save --out run
  while [ $kills -lt 12 ] && killed_now 120; do
    kills=$((kills + 1))
    "$skipper" train --resume run >out 2>err </dev/null &
    pid=$!
  done
  wait $pid
  [ $kills -gt 0 ] || fail "the run was over before it could be killed"
  run 0 train --resume run
  same whole run
  [ -z "$(find run -name '*.tmp')" ] || fail "left behind: $(ls run)"
done
[ "$(ls run | grep -c '^step-')" = 2 ] || fail "not two numbered checkpoints: $(ls run)"

# A finished run says so, but not to one who means another run; and goes on if it is given more; then it is what a longer run would have been.
run 0 train --resume run
in_out 'run is finished after 300 steps. To train on, give it more --epochs\.$'
run 0 train --resume run --max-steps 0
in_out 'run is finished after 300 steps, as many as it is to make \(--max-steps 0\)'
refuse 2 'batch: 64 in the run, 32 now' train --resume run --batch 32
run 0 train --resume run --epochs 33
run 0 train tiny.lua $adam --epochs 33 --out longer
cmp <(tail -c 1000 longer/last.safetensors) <(tail -c 1000 run/last.safetensors) || fail "a longer run differs"
[ "$(grep -c '"step":3[0-9][0-9],' run/log.jsonl)" = 31 ] || fail "log.jsonl lacks steps or has them twice"

# More epochs stretch a schedule that spans the run, and so it is said.
run 0 train tiny.lua --data set --schedule cosine --epochs 1 --out swing
run 0 train --resume swing --epochs 2
in_err 'its cosine schedule now spans 2 epochs, not 1: the learning rate jumps'

# A time limit and Ctrl-C end in the middle of an epoch; the model file may be named again, and the newest run in runs be meant.
run 0 train tiny.lua $adam --epochs 30 --max-time 0.1s --save-every 1h
in_out 'The time is up: saved after step [0-9]+; skipper train --resume runs/tiny-1 goes on'
run 0 train tiny.lua --resume --epochs 30
same whole runs/tiny-1
rm -rf run
start tiny.lua $adam --epochs 1000000 --out run
refuse 1 'run is going on: another process' train --resume run
kill -INT $pid
wait $pid
run 0 train --resume --out run --max-steps 3
in_err 'run, resumed'

# earlier FOLDER: its state as an earlier build wrote it, without checksums.
earlier() {
  LC_ALL=C sed -i 's/"checksums":/"checksumz":/' "$1/state.safetensors"
}

# The state of an earlier build, whose recipe lacked entries: blanks where they stood. One whose value was not the default is missed.
run 0 train tiny.lua $adam --epochs 3 --max-steps 15 --out run
cp -r run sound
earlier run
LC_ALL=C sed -i 's/\\"accumulate\\":1,/                 /g; s/\\"patience\\":0,/               /g' run/state.safetensors
grep -q accumulate run/state.safetensors && fail "the entry is still there"
run 0 train --resume run --max-steps 16
run 0 train tiny.lua $adam --accumulate 2 --epochs 3 --max-steps 15 --out run
earlier run
LC_ALL=C sed -i 's/\\"accumulate\\":2,/                 /g' run/state.safetensors
refuse 2 'accumulate: 1 in the run, 2 now' train --resume run --max-steps 16 --accumulate 2

# spoilt PATTERN: the state of `sound`, in which the file in bad differs, is refused.
spoilt() {
  cp bad spoilt/state.safetensors
  refuse 1 "$1" train --resume spoilt --max-steps 16
}
# flipped AT: one bit of the byte that is so far from the end.
flipped() {
  local size=$(stat -c %s sound/state.safetensors) byte
  byte=$(tail -c "$1" sound/state.safetensors | head -c 1 | od -An -tu1)
  { head -c $((size - $1)) sound/state.safetensors; printf "\\$(printf %o $((byte ^ 4)))"; tail -c $(($1 - 1)) sound/state.safetensors; } >bad
}

# A flipped bit in any tensor or entry is named.
cp -r sound spoilt
for at in 1 7840 40000 90000; do
  flipped $at
  spoilt 'spoilt/state.safetensors was damaged after it was written: the checksum of (params|moment_1|moment_2|average)'
done
LC_ALL=C sed 's/\\"step\\":15,/\\"step\\":16,/' sound/state.safetensors >bad
spoilt 'damaged after it was written: the checksum of its entry position'
LC_ALL=C sed 's/nn.flatten/nn.flutten/' sound/state.safetensors >bad
spoilt 'model|damaged'

# A position that does not fit the logs or the images, though no checksum tells: later, earlier, without a field; logs of another run.
earlier sound
for change in 's/\\"step\\":15,/\\"step\\":25,/;s/\\"epoch\\":1,/\\"epoch\\":2,/' 's/\\"step\\":15,/\\"step\\":10,/;s/\\"epoch_steps\\":5,/\\"epoch_steps\\":0,/' \
  's/\\"images\\":320,/\\"images\\":384,/' 's/\\"best_epoch\\":1,/\\"best_epoch\\":3,/' 's/\\"epoch_steps\\":/\\"epoch_stops\\":/' 's/\\"log_bytes\\":/\\"log_bites\\":/'; do
  LC_ALL=C sed "$change" sound/state.safetensors >bad
  cmp -s bad sound/state.safetensors && fail "$change changes nothing"
  spoilt 'does not fit its logs|does not say where the run stands'
done
cp sound/state.safetensors bad
sed -i 's/{"step":15,/{"step":14,/' spoilt/log.jsonl
spoilt 'stands after 15 where log.jsonl says 14'
cp sound/log.jsonl spoilt
sed -i 's/^1,/2,/' spoilt/results.csv
spoilt 'stands after 1 where results.csv says 2'
cp sound/results.csv spoilt

# Logs of another run with as many steps, or with as many but for the last, as a loss of power leaves them; a line that was changed.
# This run's own may be longer or shorter than the state knows, and that of an earlier build knows nothing of what they say.
run 0 train tiny.lua $adam --epochs 3 --max-steps 15 --seed 2 --out another
head -n -1 another/log.jsonl >spoilt/log.jsonl
spoilt 'the lines of log.jsonl are not those that the run wrote'
cp sound/log.jsonl spoilt
for log in log.jsonl results.csv; do
  cp another/$log spoilt
  spoilt 'does not fit its logs'
  sed 's/$/\r/' sound/$log >spoilt/$log # by an editor
  spoilt 'as it left them'
  sed '$s/[0-9]\(}*\)$/x\1/' sound/$log >spoilt/$log
  spoilt "the lines of $log are not those that the run wrote"
  head -n -1 sound/$log >spoilt/$log
  rm -rf shorter && cp -r spoilt shorter
  run 0 train --resume shorter --max-steps 16
  { cat sound/$log; tail -1 sound/$log; } >spoilt/$log
  rm -rf longer && cp -r spoilt longer
  run 0 train --resume longer --max-steps 16
  sed '$s/0\(}*\)$/1\1/;t;$s/[1-9]\(}*\)$/0\1/' sound/$log >spoilt/$log # as long: where it is longer it would be cut
  cmp -s spoilt/$log sound/$log && fail "the logs are alike"
  LC_ALL=C sed 's/\\"\(log\|table\)\.\(first\|last\)\\":/\\"\1_\2\\":/g' sound/state.safetensors >bad
  cmp -s bad sound/state.safetensors && fail "the state knows nothing of the logs"
  rm -rf old && cp -r spoilt old && cp bad old/state.safetensors
  run 0 train --resume old --max-steps 16
  cp sound/state.safetensors bad
  cp sound/$log spoilt
done
rm spoilt/log.jsonl spoilt/results.csv spoilt/best.safetensors # the state alone is enough
run 0 train --resume spoilt --max-steps 16
in_err 'spoilt/log.jsonl lacks what the run wrote'
in_err 'spoilt/results.csv lacks what the run wrote'
in_err 'spoilt/best.safetensors is gone, the weights of epoch 1: the best from here on'
! grep -q 'spoilt/best' out || fail "weights are named that are not there"
[ "$(head -c 11 spoilt/results.csv)" = epoch,step, ] || fail "results.csv has no names of columns"

# The state soon knows of logs that lack something: one that is killed then goes on once more.
cp sound/state.safetensors bad
cp bad spoilt/state.safetensors
rm spoilt/log.jsonl spoilt/results.csv
start --resume spoilt --max-steps 1000000 --epochs 1000000 --save-every 1000000epochs
for _ in $(seq 300); do grep -qs '^3,' spoilt/results.csv && break || sleep 0.1; done
grep -q "^3," spoilt/results.csv || fail "the run did not come to its third epoch"
kill -9 $pid
wait $pid || true
run 0 train --resume spoilt --max-steps 0

# Another model, data, batch or recipe.
run 0 train tiny.lua $adam --epochs 3 --max-steps 15 --out run
sed 's/"fc"/"head"/' tiny.lua >other.lua
refuse 2 'other.lua is not the model' train other.lua --resume run
refuse 2 'run holds a trained network' train run --resume run
refuse 2 'batch: 64 in the run, 32 now' train --resume run --batch 32 --max-steps 20
in_err 'A resumed run goes on as it began'
refuse 2 'lr: 0.01 in the run, 0.1 now' train --resume run --max-steps 20 --lr 0.1
refuse 2 'optimizer: adam in the run, sgd now' train --resume run --max-steps 20 --optimizer sgd
refuse 2 'seed: 1 in the run, 2 now' train --resume run --max-steps 20 --seed 2
refuse 2 'shuffle: true in the run, false now' train --resume run --max-steps 20 --no-shuffle
refuse 2 'set depth was not given there' train --resume run --max-steps 20 --set depth=3
refuse 2 'size: 28 in the run, 32 now' train --resume run --max-steps 20 --size 32
cp -r set moved
run 0 train --resume run --data moved --max-steps 16
idx few train 64 28 $(seq 0 63 | sed 's/.*\(.\)/\1/')
refuse 2 'training images, images: 640 in the run, 64 now' train --resume run --data few --max-steps 20
idx labels train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/' | tr 0-9 1-90)
cp set/t10k* labels
refuse 2 'training images, content: ' train --resume run --data labels --max-steps 20
refuse 1 'no run to resume in set' train --resume set
refuse 2 'run/last.safetensors is a file; --resume .* wants its folder' train --resume run/last.safetensors
cp -r run homeless
run 0 train --resume homeless --data moved --max-steps 17
mv moved elsewhere
refuse 1 'images of the run are no longer in .*/moved\. Say where they are now: --data DIR' train --resume homeless --max-steps 18
run 0 train --resume homeless --data elsewhere --max-steps 18
mv elsewhere moved

# Memory of the optimizer that is not finite is found before it is saved, though the weights are.
cat >hot.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 16, epochs = 1, optimizer = "adam"},
  network = function(x)
    x = nn.flatten(x)
    for i = 1, 5 do x = nn.relu(nn.linear(x, 256)) end
    return nn.linear(x, 10)
  end,
}
END
refuse 5 '[0-9]+ values? of moment_2 became infinite or not numbers, the first of [0-9]+\.weight at step' train hot.lua --lr 300 --max-steps 30 --out hot
[ ! -e hot/state.safetensors ] || fail "a state was saved that is not finite"

# Networks that come along, by name, with the settings that the name stands for.
small="--data few --size 32 --batch 2"
run 0 train resnet18 $small --max-steps 1 --out named
run 0 train resnet18 --resume named --max-steps 2
refuse 2 'set depth was 18 there, not 34' train resnet34 --resume named --max-steps 3
refuse 2 'resize is not the model' train resize --resume named --max-steps 3
refuse 2 'not both' train --resume run --out elsewhere
refuse 2 "--init begins anew" train --resume run --init run/last.safetensors
head -c 3000 run/state.safetensors >cut && cp cut run/state.safetensors
refuse 1 'run/state.safetensors' train --resume run --max-steps 20
refuse 2 'max-time is a time' train tiny.lua --max-time soon
refuse 2 'save-every is a number' train tiny.lua --save-every 5
refuse 2 'save-every is a number' train tiny.lua --save-every 0steps
refuse 2 'train wants MODEL.lua' train

# The same on the device, with batchnorm's running statistics and augmentation.
unset SKIPPER_BACKEND
net="$models/identity.lua --data set --epochs 60 --crop-padding 2 --flip"
run 0 train $net --out net
rm -rf run
start $net --save-every 3steps --out run
killed_now 300 || fail "the run was over before it could be killed"
run 0 train --resume run
same net run
echo ok
