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

refuse 2 'Did you mean train\?' trian models/identity.lua
refuse 2 'no command "--epochs"' --epochs 3
refuse 2 'Did you mean --epochs\?' train tiny.lua --epoch 3
refuse 2 'There is no option --frobnicate' train tiny.lua --frobnicate
refuse 2 'takes no --json; that is an option of eval' train tiny.lua --json
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
refuse 2 'does not end before the run' train tiny.lua --warmup 3 --epochs 3
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps -1
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps 99999999999999999999
refuse 2 '--max-steps is a whole number' train tiny.lua --max-steps ' 1'
refuse 2 '--seed is a whole number' train tiny.lua --seed 0x10
refuse 2 '--threads is a whole number' train tiny.lua --threads 0
refuse 2 '--workers is a whole number' train tiny.lua --workers 0
refuse 2 '--size is a whole number' train tiny.lua --size 28px
refuse 2 'mean' train tiny.lua --mean 0.5,
refuse 2 'std' train tiny.lua --std 0
refuse 2 'one a channel' train tiny.lua --mean 0.1,0.2
refuse 2 'wants NAME=VALUE' train tiny.lua --set depth

# What contradicts.
refuse 2 'adam does not use momentum \(0.9\); sgd would' train "$models/identity.lua" --momentum 0.9
refuse 2 'sgd does not use beta1 \(0.8\); adam, adamw would' train tiny.lua --beta1 0.8
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
refuse 2 '--top, --json and --invert' predict a.safetensors --data digits --logits b.safetensors --json
refuse 2 '--mode is train or eval' bench tiny.lua --mode both

# Nothing was left behind.
[ "$(ls)" = $'err\nout\ntiny.lua' ] || fail "left behind: $(ls)"
echo ok
