# test_nan.sh: a step whose loss or gradients are not finite changes nothing: it ends the run, or is left out. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
idx set train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/')
export SKIPPER_CACHE=$dir/cache SKIPPER_TRUST=1
json() { ! grep -Eiq '[:,[](nan|-?inf)' "$1" || fail "$1 is no JSON"; }
skipped() { grep -c '"skipped":true' "$1/log.jsonl"; }

cat >net.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "adam", lr = 0.01, ema = 0.9},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 4, {kernel = 3, stride = 2, bias = false})))
    return nn.linear(nn.flatten(x), 10, {name = "fc"})
  end,
}
END

# A learning rate of 300: whatever becomes of it, the run ends with status 5, and its last state loads and holds finite numbers alone; or it
# goes on and is said to.
for optimizer in sgd adam; do
  rm -rf run
  "$skipper" train net.lua --data set --optimizer $optimizer --lr 1e6 --epochs 30 --out run >out 2>err </dev/null
  status=$?
  called="train --optimizer $optimizer --lr 1e6"
  case $status in
  5)
    in_err '(became (not a number|infinite|infinite or not numbers)) at step [0-9]+ \(epoch [0-9]+\) with the learning rate 1e\+06\. '
    in_err '(The weights have grown: [a-z0-9.]+ has|[0-9]+ of the [0-9]+ weights of [a-z0-9.]+ were infinite or not numbers before it)'
    in_err 'Try a smaller learning rate \(--lr 100000\), gradients of a bounded norm \(--clip-norm 1\), a warm-up'
    ;;
  0) ;;
  *) fail "status $status" ;;
  esac
  json run/log.jsonl
done

# Pixels far from 0 are named by their picture; a network that makes numbers too large is told of as such.
sed 's/return nn.linear/for i = 1, 9 do x = nn.mul(x, x) end return nn.linear/' net.lua >grows.lua
run 5 train grows.lua --data digits --max-steps 9
in_err 'First to leave the finite numbers \(forward\): y of mul 64×13×13×4, .* in the network, [0-9]+ of its 43264 values, made of a up to '
in_err 'Plain C makes the same of these inputs, so it is not the device\. Neither .* the values grow from layer to layer'
not_in_err 'Wrong results'
sed -i 's/nn.batchnorm2d(\(.*\)))$/\1)/' grows.lua
run 5 train grows.lua --data digits --max-steps 9 --mean 0 --std 1e-6
in_err 'not the device\. The pixels are far from the usual ones around 0: #[0-9]+ of digits, image [0-9]+ of the batch, has 1e\+06'

# Going back: with half the learning rate, until it is small enough; from there on the run is as one that had it from the beginning.
square_net
square="train square.lua --on-nan rollback"
run 0 $square --max-steps 60 --out small
run 0 $square --max-steps 60 --lr 0.8 --trace trace.json --trace-steps 50 --out large # a trace that is being recorded meanwhile goes on
in_err 'became not a number at step [0-9]+ \(learning rate 0.8\)\. .*The run goes back to step 0 \(1 of 5 times\), with learning rates of 0.5 times'
in_err 'The run goes back to step 0 \(3 of 5 times\), with learning rates of 0.125 times'
in_err 'The run went back 3 times; learning rates: × 0.125\.$'
for out in small large; do tail -c 50000 $out/last.safetensors >$out/values; done # without the recipe
cmp small/values large/values || fail "with the same learning rate other weights"
[ "$(grep -c '"rollback"' large/log.jsonl):$(grep -c '^{"step"' large/log.jsonl)" = 3:60 ] || fail "the log has other steps"
grep -q '^{"rollback":3,"from_step":[0-9]*,"to_step":0,"lr_factor":0.125}$' large/log.jsonl || fail "the log does not say that it went back"
# TensorBoard is told that what came after step 0 counts no more, each time: it has each step once, also where the run is taken up again.
board() { # board STEPS MARKS FOLDER
  python3 - "$@" <<'END' || fail "$3 shows other steps than those of the run"
import glob, struct, sys
def number(data, at):
    value = shift = 0
    while True:
        value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128: return value, at
def fields(data):
    at, found = 0, {}
    while at < len(data):
        tag, at = number(data, at)
        if tag & 7 == 0: value, at = number(data, at)
        elif tag & 7 == 1: value, at = data[at:at + 8], at + 8
        elif tag & 7 == 5: value, at = data[at:at + 4], at + 4
        else:
            n, at = number(data, at)
            value, at = data[at:at + n], at + n
        found[tag >> 3] = value
    return found
seen, marks, told = [], 0, 0
for name in sorted(glob.glob(sys.argv[3] + "/events*")):
    data, at = open(name, "rb").read(), 0
    while at < len(data):
        n = struct.unpack("<Q", data[at:at + 8])[0]
        event, at = fields(data[at + 12:at + 12 + n]), at + 16 + n
        if 7 in event and fields(event[7]) == {1: 1}: # SessionLog.START: TensorBoard drops what is of this step and later ones
            seen, marks = [step for step in seen if step < event[2]], marks + 1
        if 5 in event and b"train/loss" in event[5]: seen, told = seen + [event[2]], told + 1
assert seen == list(range(1, int(sys.argv[1]) + 1)), seen
assert marks == int(sys.argv[2]) and told > len(seen), (marks, told)
END
}
run 5 $square --max-steps 60 --lr 1e6 --out huge
in_err 'with the learning rate 31250\. .*Try a smaller .*The run went back 5 times\. The weights from before are in huge/last.safetensors'
# A run that is ended in between goes on to the same bits.
run 0 $square --max-steps 60 --lr 0.8 --save-every 40steps --tensorboard board --out whole
board 60 3 board
run 0 $square --max-steps 40 --lr 0.8 --save-every 40steps --out halves
sleep 1 # TensorBoard reads files in the order of their seconds
run 0 train --resume halves --max-steps 60 --tensorboard board
board 60 4 board
cmp whole/last.safetensors halves/last.safetensors || fail "a run that goes on after it went back has other weights"
cmp whole/log.jsonl halves/log.jsonl || fail "a run that goes on after it went back has another log"

"$skipper" devices | grep -q '^\* ' || exit 77
# Some loaders know no layers. This one spoils a kernel of the seventh step, in the gradients of the last layer.
run 0 train net.lua --data set --max-steps 1 --out run
export OPENCL_LAYERS=${SKP_BINARY_DIR:?}/tests/libfault_layer.so FAULTS_LOG=$dir/faults
FAULTS=clFlush=-5 "$skipper" train net.lua --data set --max-steps 1 --out run >out 2>err
[ -s faults ] || exit 77
spoil=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@7-7=nan0
rm faults
FAULTS=$spoil run 4 train net.lua --data set --max-steps 20 --save-every 2steps --out stop
[ -s faults ] || fail "nothing was spoilt: $(cat err)"
in_err 'The gradients became infinite or not numbers at step 7 \(epoch 1\)'
in_err 'made again, op by op, and all of it is finite\. .*went wrong for a moment\. .*The weights from before are in '
json stop/log.jsonl
# A device that goes wrong each time is named, with the call and the method; in micro-batches, too.
for cut in '' '--accumulate 2'; do
  FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@7=nan0 run 4 train net.lua --data set --max-steps 20 $cut --out bad
  in_err '\(gradients\): dx of softmax_cross_entropy_dx [0-9]+×10, [0-9]+ -> [0-9]+×10 in layer loss, 1 of its [0-9]+ values'
  in_err '^ *Wrong results: .*, skipper [0-9.]+: step [47], node [0-9]+ of loss, softmax_cross_entropy_dx .* by [a-z_0-9]+: dx: got nan, want '
  in_err 'Another method may be right: softmax_cross_entropy_dx=[a-z]+ \(SKIPPER_METHOD\)'
done
# Wrong for some time: the second look finds nothing.
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@7-10=nan0 run 4 train net.lua --data set --max-steps 20 --out bad
in_err 'dx of softmax_cross_entropy_dx .*A second time it was finite'

# A device that was wrong for a moment: the run goes back, and ends with the bits of one in which nothing happened, also where it is killed
# soon after. One that is wrong each time ends it at once.
run 0 train net.lua --data set --max-steps 10 --save-every 4steps --on-nan rollback --out calm
FAULTS=$spoil run 0 train net.lua --data set --max-steps 10 --save-every 4steps --on-nan rollback --out back
in_err 'at step 7 \(learning rate 0.01\)\. .*for a moment\. .*The run goes back to step 4 \(1 of 5 times\)\.$'
in_err 'The run went back 1 time; learning rates: × 1\.$'
cmp calm/last.safetensors back/last.safetensors || fail "a run that went back has other weights"
# The end of an epoch stays, whatever was saved last: it is told of once, and best.safetensors may hold its weights.
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@23-23=nan0 run 0 train net.lua --data set --epochs 3 --on-nan rollback \
  --save-every 15steps --out best
in_err 'at step 23 .*The run goes back to step 20 \(1 of 5 times\)\.$'
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@12-12=nan0 run 0 train net.lua --data set --epochs 2 --on-nan rollback \
  --json --out once
in_err 'at step 12 .*The run goes back to step 10 \(1 of 5 times\)\.$'
[ "$(grep -c '"epoch":1,.*"train_loss"' out)" = 1 ] || fail "the epoch was closed twice: $(cat out)"
FAULTS=$spoil,clEnqueueNDRangeKernel/softmax_cross_entropy_dx@12=abort "$skipper" train net.lua --data set --max-steps 10 --save-every 4steps \
  --on-nan rollback --out killed >out 2>err && fail "it was not killed"
in_file killed/log.jsonl '"rollback":1'
run 0 train --resume killed --max-steps 10
in_err 'The run went back 1 time'
cmp calm/last.safetensors killed/last.safetensors || fail "a run that went back and was killed has other weights"
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@7=nan0 run 4 train net.lua --data set --max-steps 20 --on-nan rollback --out bad
in_err 'Wrong results'
not_in_err 'goes back'

# Left out: said, counted, logged; the same steps twice give the same bits, also where the run was ended in between.
FAULTS=$spoil run 0 train net.lua --data set --epochs 2 --on-nan skip --out skip
in_err 'The gradients became infinite or not numbers at step 7 \(learning rate 0.01\): it is left out, 1 so far'
in_err '1 of 20 steps were left out'
[ "$(skipped skip)" = 1 ] || fail "the log does not say which"
json skip/log.jsonl
FAULTS=$spoil run 0 train net.lua --data set --epochs 2 --max-steps 9 --on-nan skip --out again
run 0 train --resume again --max-steps 20
in_err '1 of 20 steps were left out'
cmp skip/last.safetensors again/last.safetensors || fail "a run that goes on has other weights"
for cut in '' '--accumulate 2'; do
  # Nothing of the step stays: a run of which the step's gradients are no numbers is as one that has no such step in its weights.
  FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx=nan0 run 4 train net.lua --data set --epochs 2 --on-nan skip --save-every 1steps \
    $cut --keep 20 --out all
  in_err '10 so far'
  in_err 'at step 11'
  python3 - <<'END' || fail "a step that was left out changed something"
import json, struct
def values(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    return {k: data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]
            for k, v in head.items() if k != "__metadata__" and "num_batches" not in k}
assert values("all/step-00000001.safetensors") == values("all/step-00000010.safetensors")
END
done
# Ten in a row were left out; the device has done later ones when the eleventh is looked at.
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@1-11=nan0 run 5 train net.lua --data set --epochs 2 --on-nan skip --out moved
in_err 'at step 11 .*Later steps have changed the weights since, so it cannot be made again to see why\. Try a smaller learning rate'
# What was no number in the sum of one step's micro-batches is out of that of the next.
FAULTS=clEnqueueNDRangeKernel/softmax_cross_entropy_dx@7-7=nan0 run 0 train net.lua --data set --on-nan skip --accumulate 2 --out parts
in_err 'at step 4 .*: it is left out, 1 so far'
in_err '1 of 10 steps were left out'
# A run that stopped goes on with such steps left out.
FAULTS=$spoil run 0 train --resume stop --on-nan skip --max-steps 20
refuse 2 'on.nan' train net.lua --data set --on-nan perhaps --out run
echo ok
