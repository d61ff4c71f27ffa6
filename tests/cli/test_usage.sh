# test_usage.sh: help, and wrong usage: exit status 2 and a hint. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

refuse 2 'Usage: skipper COMMAND'
run 0 --help
in_out 'Usage: skipper COMMAND'
for command in train lr eval predict devices summary selftest bench; do
  in_out "^  $command "
  run 0 "$command" --help
  in_out "skipper $command"
  in_out '--platform'
  run 0 --help
done
run 0 help train
in_out '--weight-decay'
run 0 --version
in_out '^skipper [0-9]+\.[0-9]+'

# What cannot be written is an error, also where it is more than a buffer.
for words in --version --help "train --help" "summary $models/resnet20.lua --json --backend reference"; do
  # shellcheck disable=SC2086
  "$skipper" $words >/dev/full 2>err </dev/null && fail "skipper $words: written to a full disk"
  called="skipper $words" in_err 'Cannot write to standard output'
done

refuse 2 'Did you mean train\?' trian models/identity.lua
refuse 2 'no command "--epochs"' --epochs 3
refuse 2 'Did you mean eval\?' test run
refuse 2 'Did you mean predict\?' infer run a.png
refuse 2 'know what to do with "digits". Did you mean --data digits\?' train tiny.lua digits
refuse 2 'know what to do with "nothing".$' train tiny.lua nothing
refuse 2 'Did you mean --device gpu\?' train tiny.lua --gpus 0
refuse 2 'Did you mean --epochs\?' train tiny.lua --epoch 3
refuse 2 'There is no option --frobnicate' train tiny.lua --frobnicate
refuse 2 'takes no --report; that is an option of eval' train tiny.lua --report x
refuse 2 'train wants MODEL.lua' train
refuse 2 'what to do with "b.lua"' train tiny.lua b.lua
refuse 2 '--lr: missing argument' train tiny.lua --lr

# Numbers: nothing behind them, nothing outside their range.
refuse 2 'lr is a number' train tiny.lua --lr 0.1x
refuse 2 'lr is a number' train tiny.lua --lr -1
refuse 2 'lr is a number' train tiny.lua --lr nan
refuse 2 'lr is a number' train tiny.lua --lr ''
refuse 2 'batch is a whole number' train tiny.lua --batch 0
refuse 2 'batch is a whole number' train tiny.lua --batch 1.5
refuse 2 'batch is a whole number' train tiny.lua --batch 100000000000
refuse 2 'epochs is a whole number' train tiny.lua --epochs ten
refuse 2 'no schedule "sideways"' train tiny.lua --schedule sideways
refuse 2 '--lr-step N' train tiny.lua --schedule step
refuse 2 '--milestones 30' train tiny.lua --schedule multi_step
refuse 2 'give it --epochs N, or choose another --schedule' train tiny.lua --schedule linear --epochs 0 --patience 1
refuse 2 'does not end before the run' train tiny.lua --warmup 3 --epochs 3
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps -1
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps 99999999999999999999
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps ' 1'
refuse 2 '--seed is a whole number' train tiny.lua --seed 0x10
refuse 2 '--threads is a whole number' train tiny.lua --threads 0
refuse 2 '--workers is a whole number' train tiny.lua --workers -1
refuse 2 '--size is a whole number' train tiny.lua --size 28px
refuse 2 'mean' train tiny.lua --mean 0.5,
refuse 2 'std' train tiny.lua --std 0
refuse 2 '--mean and --std take one number or one a channel' train tiny.lua --mean 0.1,0.2
refuse 2 '--set wants NAME=VALUE' train tiny.lua --set depth

# Times: what people write, and what is none.
for time in 10s 10sec '10 s' '10 seconds' 1m '5 minutes' 2hours '2 Hours' '1h 30m' 1h30min 0.5h 90; do
  run 0 train tiny.lua --max-steps 0 --max-time "$time" --out run
done
for time in 0 '' ' ' s 10x 10secs1x -5m 1e3s 5mm nan; do
  refuse 2 '--max-time is a time above 0' train tiny.lua --max-time "$time"
done
for when in 2epochs '3 steps' 200steps '5 minutes' 10sec 1epoch; do
  run 0 train tiny.lua --max-steps 0 --save-every "$when" --out run
done
for when in 0steps 5 1.5epochs steps '3 steps 4' 2lightyears; do
  refuse 2 '--save-every is a number' train tiny.lua --save-every "$when"
done

# Names of other trainers: those that mean the same are taken, the others are answered.
rm -rf run
run 0 train tiny.lua --data-path digits --batch-size 32 --learning-rate=0.02 --wd 1e-4 --opt adamw --sched cosine --warmup-epochs 0.1 \
  --smoothing 0.1 -j 0 --max-steps 1 --output-dir run
in_err '^recipe   adamw, learning rate 0.02, cosine schedule, 0.1 epochs of warm-up, weight decay 0.0001, batch 32'
grep -q "label_smoothing.*0\.1" run/config.json || fail "--smoothing was not taken"
run 0 train tiny.lua -b 16 --max-steps 1 --out run
in_err 'batch 16'
run 0 summary "$models/resnet20.lua" -b 16
refuse 2 'There is no option --lr-scheduler. Did you mean --schedule\?' train tiny.lua --lr-scheduler steplr
refuse 2 'Did you mean --batch\?' train tiny.lua --batch_size 32
refuse 2 'Did you mean --weight-decay\?' train tiny.lua --weight_decay 1
refuse 2 'Did you mean --init FILE\?' train tiny.lua --weights x
refuse 2 'The network is the first word' train --model tiny.lua
refuse 2 'The network is the first word' train -a resnet18
refuse 2 'Did you mean --device gpu' train tiny.lua --gpu 0
refuse 2 'devices takes no --batch; that is an option of train' devices --batch-size 3
rm -rf run

# Each option that a command has stands in its help, the common ones first.
run 0 train --help
in_out '^Common options:'
for option in data out epochs batch lr optimizer schedule resume device max-steps workers weight-decay flip mixup verbose help; do
  in_out "^ +(-., )?--$option\b"
done
[ "$(grep -n -- '--epochs' out | head -1 | cut -d: -f1)" -lt "$(grep -n -- '--beta1' out | head -1 | cut -d: -f1)" ] || fail "common options are not first"

# What contradicts.
refuse 2 'adam does not use momentum \(0.9\); sgd would' train "$models/identity.lua" --momentum 0.9
refuse 2 'sgd does not use beta1 \(0.8\); adam, adamw, lion would' train tiny.lua --beta1 0.8
refuse 2 '--no-decay changes nothing without --weight-decay' train tiny.lua --no-decay
refuse 2 '--freeze-bn changes nothing without --freeze' train tiny.lua --freeze-bn
refuse 2 '--crop-reflect changes nothing without --crop-padding' train tiny.lua --crop-reflect
refuse 2 '--rand-augment-ops changes nothing without --rand-augment' train tiny.lua --rand-augment-ops 3
refuse 2 'nesterov needs a momentum' train tiny.lua --nesterov
refuse 2 'no optimizer "rmsprop"' train tiny.lua --optimizer rmsprop
refuse 2 '--backend reference has none' train tiny.lua --backend reference --device 0
refuse 2 'backend' train tiny.lua --backend cuda
refuse 2 'exclude each other' predict a.safetensors a.png --data digits
refuse 2 'needs --logits' predict a.safetensors --data digits
refuse 2 'Give the images' predict a.safetensors
refuse 2 '--top, --json, --invert and --explain' predict a.safetensors --data digits --logits b.safetensors --json
refuse 2 '--mode is train or eval' bench tiny.lua --mode both

# Nothing was left behind.
[ "$(ls)" = $'err\nout\ntiny.lua' ] || fail "left behind: $(ls)"
echo ok
