# test_ranks.sh: two processes train one network: the same bits each time, the losses of one process, no end without a word, and
# a run that goes on. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
. "$SKP_SOURCE_DIR/tests/cli/mpi.sh" || exit 1
idx set train 330 28 $(seq 0 329 | sed 's/.*\(.\)/\1/')
idx set t10k 31 28 $(seq 0 30 | sed 's/.*\(.\)/\1/')

# A network with a batchnorm, an image of one map being enough for it, and dropout.
cat >norm.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 16, {kernel = 3, stride = 2, name = "conv"}), {name = "norm"}))
    return nn.linear(nn.dropout(nn.flatten(x), {p = 0.2}), 10, {name = "fc"})
  end,
}
END

# Its gradients are exchanged in several messages.
cat >wide.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.02},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3, stride = 4, name = "conv"}), {name = "norm"}))
    x = nn.relu(nn.linear(nn.flatten(x), 1200, {name = "fc1"}))
    return nn.linear(nn.relu(nn.linear(x, 1200, {name = "fc2"})), 10, {name = "fc"})
  end,
}
END

# alike FOLDER FOLDER TOLERANCE: weights and running statistics that differ by no more.
weights() { tail -c +$((9 + $(od -An -t u8 -N8 "$1/last.safetensors"))) "$1/last.safetensors" | od -An -v -t f4 -w4; }
alike() {
  paste <(weights "$1") <(weights "$2") | awk -v most="$3" '{ d = $1 - $2; if (!(d <= most && -d <= most)) bad = 1 } END { exit bad || NR < 3000 }' ||
    fail "the weights of $1 and $2 differ"
}

# One epoch more than divides by two: the last step has 330 - 5 × 64 = 10 images. Crop, flip and mixtures are the same ones.
augmented="--data digits --crop-padding 2 --flip --mixup 0.3 --cutmix 1 --max-steps 30 --seed 3"
for backend in reference opencl; do
  export SKIPPER_BACKEND=$backend
  run 0 train tiny.lua $augmented --out one
  for out in two again; do ranks 2 0 train tiny.lua $augmented --out $out; done
  same_weights=$(cmp two/last.safetensors again/last.safetensors 2>&1) || fail "not the same bits twice: $same_weights"
  diff <(losses two) <(losses again) || fail "not the same losses twice"
  near one two 1e-5
  # With batchnorms and dropout two ranks are one process in two micro-batches.
  run 0 train norm.lua $augmented --accumulate 2 --max-steps 8 --out one
  ranks 2 0 train norm.lua $augmented --max-steps 8 --out two
  near one two 1e-3
  # Synchronised batchnorms see what those of one process see.
  run 0 train norms.lua $augmented --max-steps 8 --out one
  for out in two again; do ranks 2 0 train norms.lua $augmented --max-steps 8 --sync-bn --out $out; done
  same_weights=$(cmp two/last.safetensors again/last.safetensors 2>&1) || fail "--sync-bn: not the same bits twice: $same_weights"
  near one two 1e-5
  alike one two 1e-5
  # Four ranks do. (Another seed: by that of the others a value before a relu has the other sign in the fifth step, as on another backend.)
  run 0 train norms.lua $augmented --max-steps 6 --seed 4 --out one
  ranks 4 0 train norms.lua $augmented --max-steps 6 --seed 4 --sync-bn --out four
  near one four 1e-5
  alike one four 1e-5
done

# In several messages the gradients are the same ones, with micro-batches and without; three ranks divide none of them.
run 0 train wide.lua $augmented --max-steps 6 --accumulate 2 --out one
ranks 2 0 train wide.lua $augmented --max-steps 6 --out two
near one two 1e-4
run 0 train wide.lua $augmented --max-steps 6 --out one
ranks 3 0 train wide.lua $augmented --max-steps 6 --sync-bn --out three
near one three 1e-4

# Where a device fails between two exchanges of statistics nobody waits for it: all end with its status, or all take smaller micro-batches.
cat >faulty.sh <<END
[ "\$OMPI_COMM_WORLD_RANK" = 0 ] || export OPENCL_LAYERS=$SKP_BINARY_DIR/tests/libfault_layer.so FAULTS=\$1
shift
exec "$skipper" "\$@"
END
# faulty RULE STATUS NETWORK WORD…: in rank 1.
faulty() {
  local got=0
  called="mpirun, rank 1 with $1"
  SKIPPER_TRUST=1 SKIPPER_TIMEOUT=60 timeout 300 mpirun -n 2 bash faulty.sh "$1" train "${@:3}" --data digits --max-steps 6 --out faulty >out 2>err </dev/null || got=$?
  [ $got = "$2" ] || fail "$called: exit status $got, not $2"
}
faulty clEnqueueNDRangeKernel/batchnorm_dx*@20-20=-36 4 norms.lua --sync-bn
in_err 'Rank 1 of 2 \(on .*\) ended: '
faulty clEnqueueNDRangeKernel/batchnorm_dx*@2-2=-4 0 norms.lua --sync-bn
in_err 'its images go through the network 16 at a time'
# So it is between two messages: on the way from the device, and back to it.
faulty clEnqueueNDRangeKernel/axpby*@6-6=-36 4 wide.lua
in_err 'Rank 1 of 2 \(on .*\) ended: '
faulty clEnqueueReadBuffer@40=-36 4 wide.lua
in_err 'Rank 1 of 2 \(on .*\) ended: '
faulty clEnqueueWriteBuffer@40=-36 4 wide.lua
in_err 'Rank 1 of 2 \(on .*\) ended: '
faulty clEnqueueNDRangeKernel/axpby*@2-2=-4 0 wide.lua
in_err 'its images go through the network 16 at a time'
# And around the first update: until weights change all begin again, and where one lacks memory for that, when others have changed, all end.
for call in clEnqueueNDRangeKernel/all_finite*@1-1 clEnqueueWriteBuffer@14-14; do # the latter: what the update is told
  faulty $call=-4 0 norms.lua
  in_err 'its images go through the network 16 at a time'
done
faulty clEnqueueNDRangeKernel/sgd*@1-1=-4 4 norms.lua
in_err 'Rank 1 of 2 \(on .*\) ended: '
export SKIPPER_BACKEND=reference

# Whole epochs, the last step of which has few images, and the test, which is shared out.
small="--data set --batch 64 --epochs 2 --lr 0.01"
run 0 train tiny.lua $small --out one
ranks 2 0 train tiny.lua $small --out two
near one two 1e-4
[ "$(grep -c . two/log.jsonl)" = "$(grep -c . one/log.jsonl)" ] || fail "other lines in the log"
[ "$(grep -c 'accuracy' out)" -gt 0 ] || fail "nothing is said of the end"
[ "$(grep -c '^saved in' out)" = 1 ] || fail "not one rank alone speaks"
for file in confusion classes; do [ -f two/$file.csv ] || fail "there is no $file.csv"; done
diff one/confusion.csv two/confusion.csv >/dev/null || fail "the tests differ"
run 0 eval two --data set

# The last step has images for the first of the ranks alone: the others exchange statistics with it all the same.
run 0 train norms.lua $small --out one
ranks 3 0 train norms.lua $small --sync-bn --out three
near one three 1e-4
alike one three 1e-4
ranks 3 0 train norms.lua $small --sync-bn --accumulate 2 --out three

# Shares that are not equal: the same losses, each time the same bits; the last step of an epoch has images for the first rank alone.
run 0 train tiny.lua $small --out one
ranks 2 0 train tiny.lua $small --shares 3:1 --out two
near one two 1e-4
diff one/confusion.csv two/confusion.csv >/dev/null || fail "the tests differ"
run 0 report two --out page.html
in_file page.html 'mpirun -n 2 skipper train tiny' ' --shares 3:1'
ranks 2 0 train tiny.lua $small --shares 3:1 --out again
same two again
ranks 2 0 train tiny.lua $small --shares 1:1 --out again
! cmp -s two/last.safetensors again/last.safetensors || fail "shares change nothing"
run 0 train norms.lua $small --out one
ranks 3 0 train norms.lua $small --sync-bn --shares 1:5:2 --out three
near one three 1e-4
ranks 3 0 train norms.lua $small --sync-bn --shares 1:20:43 --accumulate 2 --out three

# Measured ones are those of the run from then on, and the same bits where they are said.
ranks 2 0 train norm.lua $small --shares measured --out measured
shares=$(sed -n 's/^shares   \([0-9]*:[0-9]*\) images of a step, by .*--shares \1 gives the same bits again$/\1/p' err)
[ -n "$shares" ] && [ $((${shares%:*} + ${shares#*:})) = 64 ] || fail "measured shares are not told"
ranks 2 0 train norm.lua $small --shares $shares --out said
same measured said
ranks 2 0 train --resume measured --epochs 3
grep -q '^shares' err && fail "a run that goes on is measured again"
ranks 2 0 train --resume said --epochs 3
same measured said
ranks 2 2 train --resume said --epochs 4 --shares 1:63
in_err "shares: $shares in the run, 1:63 now"
ranks 2 2 train --resume said --epochs 4 --shares measured
in_err "shares: $shares in the run, measured now"
refused() {
  ranks "$1" 2 "${@:3}"
  in_err "$2"
}
refused 2 'shares 3:1:1 is for 3 ranks, and there are 2' train tiny.lua $small --shares 3:1:1 --out bad
refused 2 'shares is equal, measured, or a whole number for each rank' train tiny.lua $small --shares fast --out bad
refused 2 'Of 64 images in a step rank 1 has 0 by --shares 1000:1' train tiny.lua $small --shares 1000:1 --out bad
run 2 train tiny.lua $small --shares 3:1 --out bad
in_err 'shares 3:1 is for 2 ranks, and there is 1'

# Three ranks; a step of one image is none of the last.
ranks 3 0 train norm.lua $small --accumulate 2 --out three
[ -f three/best.safetensors ] || fail "there are no best weights"

# What is not alike is said: another seed in the second rank.
cat >unlike.sh <<END
[ "\$OMPI_COMM_WORLD_RANK" = 0 ] || set -- "\$@" \$UNLIKE
exec "$skipper" "\$@"
END
unlike() {
  local got=0
  called="mpirun, rank 1 with $1"
  UNLIKE=$1 timeout 300 mpirun -n 2 bash unlike.sh train tiny.lua $small --out bad >out 2>err </dev/null || got=$?
  [ $got = "$3" ] || fail "$called: exit status $got, not $3"
  in_err "$2"
  [ ! -e bad/state.safetensors ] || fail "$called: something was saved"
}
unlike "--seed 9" 'rank 1 has another seed than rank 0' 2
unlike "--lr 0.5" 'rank 1 has another recipe than rank 0' 2
unlike "--max-steps 7" 'rank 1 has another limits than rank 0' 2
unlike "--data nowhere" 'Rank 1 of 2 \(on .*\) ended: .*nowhere' 6
unlike "--nonsense" 'Rank 1 of 2 \(on .*\) ended: .*nonsense' 2

# Of devices of different kinds the shares are measured, unless they are said.
differing() {
  called="mpirun, a device of another kind in rank 1: $*"
  UNLIKE="--backend opencl" timeout 300 mpirun -n 2 bash unlike.sh train tiny.lua $small "$@" >out 2>err </dev/null || fail "$called: exit status $?"
}
differing --out mixed
in_err '^shares   [0-9]+:[0-9]+ images of a step, by '
differing --out mixed --shares equal
not_in_err '^shares'

# More ranks than images; other commands.
refused 2 'A step has 1 images, of which 2 ranks cannot have one each' train tiny.lua --data set --batch 1 --out bad
refused 2 'eval is done by one' eval two --data set
refused 2 'once for each --seed' train tiny.lua --seeds 2 --out bad

# kill -9 of one rank: the other ends, too; the run goes on to the bits of an undisturbed one. With one process or three it does not.
lines() { grep -sc step "$1/log.jsonl" || true; }
# start FOLDER WORD…: two ranks in the background; waits until the run's log has more lines than before. Then children are the ranks.
start() {
  local folder=$1 before
  shift
  before=$(lines "$folder")
  mpirun -n 2 "$skipper" "$@" >out 2>err </dev/null &
  pid=$!
  called="mpirun -n 2 skipper $*"
  for _ in $(seq 1200); do
    [ "$(lines "$folder")" -le "${before:-0}" ] 2>/dev/null || [ ! -f "$folder/state.safetensors" ] || break
    kill -0 $pid 2>/dev/null || fail "the run ended by itself"
    sleep 0.05
  done
  children=($(pgrep -P $pid -x "$(basename "$skipper")" | sort -n))
  [ ${#children[@]} = 2 ] || fail "there are not two ranks: ${children[*]}"
}
ended() {
  for _ in $(seq 600); do kill -0 $pid 2>/dev/null || return 0; sleep 0.1; done
  kill -9 $pid "${children[@]}" 2>/dev/null
  fail "$1"
}
long="--data set --optimizer adam --lr 0.01 --ema 0.9 --mixup 0.3 --batch 64 --epochs 40 --save-every 1steps"
ranks 2 0 train norm.lua $long --out whole
start run train norm.lua $long --out run
for victim in 1 0; do
  kill -9 "${children[$victim]}"
  ended "the other rank goes on without the one that was killed"
  wait $pid && fail "a rank was killed, and mpirun says nothing of it"
  start run train --resume run
done
wait $pid || fail "the run does not go on"
same whole run
run 2 train --resume run --epochs 41
in_err 'ranks: 2 in the run, nothing now'
ranks 3 2 train --resume run --epochs 41
in_err 'ranks: 2 in the run, 3 now'

# A signal to one rank stops all after the same step, saved; so does a rank's time.
start stopped train norm.lua ${long/--epochs 40/--epochs 4000} --out stopped
kill -TERM "${children[1]}"
ended "a signal to rank 1 stops nothing"
wait $pid
in_out 'Stopped after step [0-9]+'
ranks 2 0 train --resume stopped --max-time 1s
in_out 'The time is up: saved after step [0-9]+'

# A rank that hangs is waited for so long, and no longer.
export SKIPPER_TIMEOUT=2
start hung train norm.lua ${long/--epochs 40/--epochs 4000} --out hung
kill -STOP "${children[1]}"
ended "a rank that hangs is waited for without end"
got=0
wait $pid || got=$?
[ $got = 6 ] || fail "a rank hangs: exit status $got, not 6"
in_err 'Rank 0 of 2 waited 2 s for the others'
unset SKIPPER_TIMEOUT

# What is not finite in one rank is so in all: the run ends, and says in which it was found; leaves the step out; or goes back.
square_net
ranks 2 5 train square.lua --lr 100 --max-steps 60 --out wild
in_err ' at step [0-9]+ \(epoch 1\) with the learning rate 100\. In rank [01]: The step was made again'
ranks 2 0 train square.lua --lr 0.8 --on-nan rollback --max-steps 40 --out wild
in_err 'The run went back [1-5] times?; learning rates: '
