# test_judging.sh: a validation split, early stopping, schedules that listen, runs without an end. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference
idx set train 100 28 $(seq 0 99 | sed 's/.*\(.\)/\1/') # all images alike: after some epochs nothing becomes better
idx set t10k 10 28 0 1 2 3 4 5 6 7 8 9

# A fifth of the training images judges each epoch; the test images are used once, for the best weights.
run 0 train tiny.lua --data set --batch 16 --epochs 4 --valid-split 0.2 --out split
in_err '80 images to train on, 20 to judge by, 10 to test with'
in_err '^epoch 4/4  loss .* valid accuracy'
in_out '^valid accuracy .* after the last epoch'
in_out '^test accuracy 10.00 % with the best weights'
[ "$(grep -c '"valid_accuracy":' split/log.jsonl)" = 4 ] || fail "log.jsonl lacks valid_accuracy"
[ "$(grep -c '"test_accuracy":' split/log.jsonl)" = 1 ] || fail "log.jsonl has not one test_accuracy"
tail -1 split/log.jsonl | grep -Eq '^\{"weights":"best","test_accuracy":0\.1,"test_top5":' || fail "last line: $(tail -1 split/log.jsonl)"
[ "$(grep -c '"step":' split/log.jsonl)" = 20 ] || fail "not 80 images in batches of 16"
head -1 split/results.csv | grep -q ',valid_accuracy,' || fail "results.csv: $(head -1 split/results.csv)"

# A run that is given more is tested at its new end, and its log has that line alone; one that is stopped before its end is not tested.
run 0 train tiny.lua --data set --batch 16 --epochs 6 --valid-split 0.2 --max-steps 7 --out longer
in_out '^test accuracy 10.00 % with the best weights'
run 0 train --resume longer --max-steps 12
run 0 train --resume longer --max-steps 20
[ "$(grep -c '"test_accuracy":' longer/log.jsonl)" = 1 ] || fail "log.jsonl has not one test_accuracy after a run went on"
tail -1 longer/log.jsonl | grep -q '"test_accuracy":' || fail "last line: $(tail -1 longer/log.jsonl)"
diff <(grep '"step":' split/log.jsonl) <(grep '"step":' longer/log.jsonl) >out || fail "other steps"
run 0 train tiny.lua --data set --batch 16 --epochs 1000000 --valid-split 0.2 --max-time 0.5s --out stopped
[ "$(grep -c '"test_accuracy":' stopped/log.jsonl)" = 0 ] || fail "a run that was stopped used the test images"

# Plateau and early stopping are part of what goes on.
plateau="--data set --batch 16 --valid-split 0.2 --epochs 40 --schedule plateau --plateau-patience 1 --gamma 0.5 --patience 6"
run 0 train tiny.lua $plateau --out whole
in_err 'Stopped early: epoch [0-9]+ was the best, none of the 6 after it was better'
last=$(grep -o '"lr":[0-9.e-]*' whole/log.jsonl | tail -1 | cut -d: -f2)
case $last in 0.025 | 0.0125) ;; *) fail "the last learning rate is $last" ;; esac
run 0 train tiny.lua $plateau --max-steps 23 --out part
run 0 train --resume part --max-steps 37
run 0 train --resume part --max-steps 100000
cmp whole/best.safetensors part/best.safetensors || fail "another best"
cmp whole/last.safetensors part/last.safetensors || fail "another end"
diff <(grep '"step":' whole/log.jsonl) <(grep '"step":' part/log.jsonl) >out || fail "other steps"
run 0 train --resume part
in_out 'part is finished after'

# Steps at milestones.
run 0 train tiny.lua --data set --batch 50 --epochs 4 --schedule multi_step --milestones 1,3 --out steps
rates=$(grep -o '"lr":[0-9.e-]*' steps/log.jsonl | cut -d: -f2 | uniq | xargs)
[ "$rates" = "0.1 0.01 0.001" ] || fail "learning rates: $rates"

# Without an end of epochs something else must end the run.
refuse 2 'epochs 0 never ends' train tiny.lua --data set --epochs 0 --out run
run 0 train tiny.lua --data set --epochs 0 --max-steps 5 --out endless
[ "$(grep -c '"step":' endless/log.jsonl)" = 5 ] || fail "not 5 steps"
run 0 train tiny.lua --data set --epochs 0 --patience 2 --out patient
in_err 'Stopped early'
refuse 2 'cosine needs to know when the run ends' train tiny.lua --data set --epochs 0 --max-steps 5 --schedule cosine --out run
refuse 2 'cosine does not use lr_step \(3\); step would' train tiny.lua --data set --schedule cosine --lr-step 3 --out run
refuse 2 '--milestones' train tiny.lua --data set --schedule multi_step --out run
refuse 2 'milestones is numbers' train tiny.lua --data set --schedule multi_step --milestones 3, --out run
refuse 2 'leaves 0 to judge by' train tiny.lua --data set --valid-split 0.001 --out run

# Another schedule on the command line leaves what the recipe says for its own.
sed 's/lr = 0.1/lr = 0.1, schedule = "multi_step", milestones = {2, 3}/' tiny.lua >scheduled.lua
run 0 train scheduled.lua --data set --epochs 4 --batch 50 --schedule exponential --out other
run 0 train scheduled.lua --data set --epochs 4 --batch 50 --out same
run 0 eval same/last.safetensors --data set

# Several views of each test image: what the recipe says holds for its checkpoints, and the command line may say otherwise.
run 0 train tiny.lua --data digits --epochs 1 --batch 1000 --test-views 2 --out views
loss() { run 0 eval views/last.safetensors --data digits --json "$@" && grep -o '"loss":[^,]*' out; }
[ "$(loss)" = "$(loss --test-views 2)" ] || fail "eval does not take the recipe's views"
[ "$(loss)" != "$(loss --test-views 1)" ] || fail "two views are as good as one"
grep -Fq "\"test_$(loss | cut -c2-14)" views/log.jsonl || fail "the run was judged in another way"
refuse 2 'test_views is a whole number from 1 to 4' eval views/last.safetensors --data set --test-views 5
echo ok
