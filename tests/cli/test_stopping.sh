# test_stopping.sh: Ctrl-C, kill, a full disk: what was saved before stays whole. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
idx set train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/')
called="skipper train"

# start WORD…: a run in the background; waits until it has saved once.
start() {
  rm -rf run
  "$skipper" train tiny.lua --data set --epochs 1000000 --out run "$@" >out 2>err </dev/null &
  pid=$!
  await run/last.safetensors
}
loads() { "$skipper" eval run/last.safetensors --data set --json >/dev/null 2>eval.err || fail "run/last.safetensors: $(cat eval.err)"; }

# Ctrl-C, a polite kill, a lost terminal: the step is finished, the weights are saved, the status is 128 + the signal, so that
# `train && next` stops. (Background jobs of a script ignore SIGINT unless
# the program catches it, which it does.)
for signal in INT:130 TERM:143 HUP:129; do
  want=${signal#*:} signal=${signal%:*}
  start
  kill -$signal $pid
  wait $pid
  status=$?
  [ $status = "$want" ] || fail "status $status after SIG$signal"
  in_err 'Stopping after this step'
  in_out 'Stopped after step [0-9]+; skipper train --resume run goes on'
  loads
  tail -1 run/log.jsonl | grep -q '}$' || fail "half a line in log.jsonl"
done

# Before training begins nothing is left behind, whenever it comes; a folder with something in it stays.
for delay in 0 0.02 0.05 0.1 0.2; do
  rm -rf runs
  "$skipper" train tiny.lua --data set --epochs 1000000 >out 2>err </dev/null &
  pid=$!
  until [ -d runs/tiny-1 ]; do kill -0 $pid || fail "the run ended by itself"; sleep 0.01; done
  sleep $delay
  kill -INT $pid
  wait $pid
  status=$?
  [ $status = 130 ] || fail "status $status after SIGINT"
  [ ! -d runs ] || [ -f runs/tiny-1/last.safetensors ] || fail "an empty folder stays: $(find runs)"
done
rm -rf runs

# Who asked for a hang-up to be ignored (nohup) keeps training.
rm -rf run
(trap '' HUP; exec "$skipper" train tiny.lua --data set --epochs 1000000 --out run >out 2>err </dev/null) &
pid=$!
await run/last.safetensors
kill -HUP $pid
sleep 0.5
kill -0 $pid || fail "ended by a hang-up that was to be ignored"
kill -TERM $pid
wait $pid
[ $? = 143 ] || fail "SIGTERM after an ignored hang-up"

# A limit of its own is no stop.
run 0 train tiny.lua --data set --epochs 1000000 --max-time 1s --out run
in_out 'The time is up: saved after step [0-9]+; skipper train --resume run goes on'

# kill -9 whenever it comes: there is the old checkpoint or the new one, and the next run sweeps up.
for delay in 0.01 0.05 0.09 0.13 0.17; do
  start
  sleep $delay
  kill -9 $pid
  wait $pid 2>/dev/null
  loads
done
touch run/last.safetensors.999999999.tmp
run 0 train tiny.lua --data set --max-steps 1 --out run
[ -z "$(find run -maxdepth 1 -name '*.tmp')" ] || fail "left behind: $(ls run)"

# No room to begin with: said before any work, with the bytes that it takes; the old run stays where it is.
cp run/last.safetensors before
full() { (ulimit -f "$1"; shift; timeout "${SKP_RUN_SECONDS:-300}" "$skipper" "$@" >out 2>err </dev/null); }
full 8 train tiny.lua --data set --max-steps 1 --out run && fail "there was room?"
in_err 'Cannot write to the run folder run: .* at least [0-9]+ bytes. Raise the limit on file sizes'
cmp run/last.safetensors before || fail "the old checkpoint was touched"

# No room later: the log outgrows its limit; the last checkpoint stays whole.
rm -rf run
full 240 train tiny.lua --data set --epochs 1000000 --out run && fail "the log never ended?"
in_err 'run/log.jsonl: File too large. Raise the limit on file sizes'
loads
tail -1 run/log.jsonl | grep -q '}$' || fail "half a line in log.jsonl"

# A file that cannot be written while training goes on: a later step says so.
rm -rf run
"$skipper" train tiny.lua --data set --epochs 1000000 --save-every 1steps --out run >out 2>err </dev/null &
pid=$!
await run/state.safetensors
rm -f run/last.safetensors
until mkdir run/last.safetensors 2>/dev/null; do rm -f run/last.safetensors; done
touch run/last.safetensors/in-the-way
wait $pid && fail "a save that failed did not end the run"
grep -q 'run/last.safetensors' err || fail "the file is not named"
rm -rf run/last.safetensors
run 0 train --resume run --epochs 1

# A disk that fills up while training.
mkdir disk
if mount -t tmpfs -o size=512k tmpfs disk 2>/dev/null; then
  run 0 train tiny.lua --data set --max-steps 1 --out disk/run
  cp disk/run/last.safetensors before
  head -c 1M /dev/zero >disk/rest 2>/dev/null
  refuse 1 'No space left.*[0-9]+ bytes' train tiny.lua --data set --max-steps 1 --out disk/run
  cmp disk/run/last.safetensors before || fail "the old checkpoint was touched"
  refuse 1 '[0-9]+ bytes are needed. The disk is full' predict before --data set --logits disk/logits.safetensors
  [ -z "$(find disk -name '*.tmp')" ] || fail "a temporary file stayed"

  # While it is full, training goes on; once there is room again all is saved, and the status tells of it all the same.
  rm -rf disk/rest disk/run
  "$skipper" train tiny.lua --data set --epochs 1000000 --save-every 1steps --out disk/run >out 2>err </dev/null &
  pid=$!
  await disk/run/state.safetensors
  head -c 1M /dev/zero >disk/rest 2>/dev/null
  until grep -q 'Training goes on; each save tries again' err; do kill -0 $pid || fail "a full disk ended the run, or is not said"; sleep 0.05; done
  before=$(stat -c %Y.%s disk/run/log.jsonl)
  rm disk/rest
  until [ "$(stat -c %Y.%s disk/run/log.jsonl)" != "$before" ]; do kill -0 $pid || fail "the run ended by itself"; sleep 0.05; done
  kill -INT $pid
  wait $pid
  [ $? = 6 ] || fail "the status does not tell of the full disk"
  steps=$(sed -n 's/^{"step":\([0-9]*\),.*/\1/p' disk/run/log.jsonl)
  [ "$steps" = "$(seq "$(echo "$steps" | wc -l)")" ] || fail "log.jsonl lacks steps or has some twice"
  run 0 train --resume disk/run --epochs 1

  # TensorBoard's file is written as the logs are: each step is in it once there is room again.
  rm -rf disk/run run
  "$skipper" train tiny.lua --data set --epochs 1000000 --save-every 1000000epochs --out run --tensorboard disk/board >out 2>err </dev/null &
  pid=$!
  until grep -q '^{"epoch":1,' run/log.jsonl 2>/dev/null; do kill -0 $pid || fail "the run ended by itself"; sleep 0.05; done
  head -c 1M /dev/zero >disk/rest 2>/dev/null
  until grep -q 'events.out.*Training goes on' err; do kill -0 $pid || fail "TensorBoard's full disk ended the run, or is not said"; sleep 0.05; done
  rm disk/rest
  kill -INT $pid
  wait $pid
  [ $? = 6 ] || fail "the status does not tell of TensorBoard's full disk"
  told=$(cat disk/board/events.out.tfevents.* | grep -ao train/loss | wc -l)
  [ "$told" = "$(grep -c '^{"step"' run/log.jsonl)" ] || fail "TensorBoard is told of $told steps"

  # To go on, a run needs room for what it writes at once, not for all of its files a second time.
  rm -rf disk/run
  run 0 train tiny.lua --data set --max-steps 1 --out disk/run
  head -c $((($(df --output=avail -k disk | tail -1) - 180) * 1024)) /dev/zero >disk/rest
  refuse 1 'Cannot write to the run folder disk/other' train tiny.lua --data set --max-steps 1 --out disk/other
  run 0 train --resume disk/run --max-steps 2
fi
echo ok
