# test_weights.sh: weights of other programs and of earlier runs: formats, prefixes, normalisation, run folders, models by name.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference
corpus=$SKP_SOURCE_DIR/tests/fuzz/corpus/torch

# A network whose weights are those of the samples: a.weight 2×3, a.bias 2.
cat >small.lua <<'LUA'
return {
  input = {channels = 3, size = 1},
  recipe = {batch = 1, epochs = 1},
  network = function(x) return nn.linear(nn.flatten(x), 2, {name = "a"}) end,
}
LUA
run 0 train small.lua --init "$corpus/plain" --max-steps 0 --out plain
in_err '2 weights loaded from .*plain, 0 left at their initial values'
in_err 'The file does not say how pixels were normalised; .* --mean imagenet'
for form in half bfloat double protocol4 wrapped strided shared parameters swapped numpy elsewhere average class other; do
  run 0 train small.lua --init "$corpus/$form" --max-steps 0 --out "$form"
  cmp plain/last.safetensors "$form/last.safetensors" || fail "$form gives other weights"
done
run 0 train small.lua --init "$corpus/prefix" --max-steps 0 --out prefix
in_err 'Its names begin with "module\.", which is passed over'
cmp plain/last.safetensors prefix/last.safetensors || fail "a prefix gives other weights"
refuse 1 'a\.weight\[1, 2\] is not a number' train small.lua --init "$corpus/nan" --max-steps 0 --out nan
refuse 1 'before PyTorch 1\.6.*import torch' train small.lua --init "$corpus/old" --max-steps 0 --out old
refuse 1 'a pointer of Git LFS' train small.lua --init "$corpus/pointer" --max-steps 0 --out pointer
refuse 1 'an object of Python' train small.lua --init "$corpus/module" --max-steps 0 --out module
refuse 1 'is not a checkpoint of Skipper' predict "$corpus/plain" "$SKP_SOURCE_DIR/tests/fuzz/corpus/image/rgb.png"

# What pixels become is part of what was learned: it is inherited, unless something else is said.
run 0 train tiny.lua --max-steps 3 --mean 0.25 --std 0.5 --out first
in_err 'recipe .*, pixels less 0\.25 by 0\.5'
run 0 train tiny.lua --init first --max-steps 1 --out second
in_err '^weights  first/last.safetensors: there are no best ones in this run yet$'
in_err 'Mean and std of the pixels are those that these weights were trained with'
in_err 'recipe .*, pixels less 0\.25 by 0\.5'
run 0 eval second --data digits --json
run 0 train tiny.lua --init first --mean 0 --std 1 --max-steps 1 --out third
in_err 'recipe .*epoch, seed' # 0 and 1 are not worth a word
not_in_err 'were trained with'
run 0 train tiny.lua --init first --std 0.75 --max-steps 0 --out third
in_err 'Mean of the pixels is the one that these weights were trained with'
in_err 'pixels less 0\.25 by 0\.75'
run 0 train tiny.lua --init first --mean mnist --max-steps 0 --out third # whose std follows
in_err 'pixels less 0\.1307 by 0\.3081'
run 0 train small.lua --mean imagenet --max-steps 0 --out imagenet
in_err 'pixels less 0\.485 0\.456 0\.406 by 0\.229 0\.224 0\.225'
run 0 train small.lua --mean imagenet --std 0.5 --max-steps 0 --out half
in_err 'pixels less 0\.485 0\.456 0\.406 by 0\.5'
sed 's/batch = 1,/batch = 1, std = 0.5, mean = "imagenet",/' small.lua >said.lua
run 0 train said.lua --max-steps 0 --out said
in_err 'pixels less 0\.485 0\.456 0\.406 by 0\.5'
refuse 2 'mean is numbers .*imagenet' train small.lua --mean imagenot --max-steps 0
refuse 2 'one number or one a channel: 1 here' train tiny.lua --mean imagenet --max-steps 0

run 0 train said.lua --init "$corpus/plain" --max-steps 0 --out said
not_in_err 'expect --mean imagenet'

# Those of other channels are not: three numbers say nothing about grey.
sed 's/channels = 3/channels = 1/' small.lua >grey.lua
run 0 train grey.lua --init imagenet --max-steps 0 --out grey
in_err 'trained with mean and std of other channels than 1: they are left'
in_err 'recipe .*epoch, seed'
not_in_err 'does not say how pixels were'

# What holds no weights for use says what would.
run 0 train tiny.lua --max-steps 1 --out first-state
for call in "eval first-state/state.safetensors --data digits" "train tiny.lua --init first-state/state.safetensors --max-steps 0 --out x"; do
  # shellcheck disable=SC2086
  refuse 2 'state.safetensors is what skipper train --resume goes on from.*best.safetensors' $call
done
refuse 2 'tiny.lua is a model file, which has no weights yet: skipper train tiny.lua' eval tiny.lua --data digits
refuse 2 'resnet18 is a model file' predict resnet18 "$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png"

# A run's folder stands for its weights.
run 0 summary first
in_out '^fc +linear'
run 0 predict first "$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png"
in_err '^weights  first/last.safetensors: there are no best ones in this run yet$'
run 0 eval first/last.safetensors --data digits
not_in_err 'no best ones'
cp first/last.safetensors first/best.safetensors
run 0 eval first --data digits
not_in_err 'no best ones'
refuse 2 '--set and --size go with model files' summary first --size 32
refuse 2 'first holds a trained network; .* --init first begins' train first
refuse 2 'holds a trained network' lr "$corpus/plain"
{ echo 'local a={}'; cat said.lua; } >brace.lua # its ninth byte is that of safetensors
run 0 summary brace.lua
in_out '^a +linear'
mkdir nothing
refuse 1 'neither best\.safetensors nor last\.safetensors' eval nothing --data digits

# Networks by name, with settings of their own.
run 0 summary resnet18 --set classes=10
in_out '^layer4.1.bn2 '
in_out ' 11 181 642 '
run 0 summary resnext50_32x4d
in_out ' 25 028 904 '
run 0 train identity --max-steps 1 --out named
refuse 1 'no model file resnet19.*resnet18, resnet34' summary resnet19
refuse 1 'no model file models/resnet18\.lua\. The network resnet18 comes along' summary models/resnet18.lua
mkdir resnet18 # whatever lies in it, it is no run
run 0 summary resnet18 --set classes=10
