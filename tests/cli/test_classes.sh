# test_classes.sh: how many classes a network has: as many as the data, unless its file or --set says otherwise. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# A network whose file leaves the number open; its own default would not do.
cat >open.lua <<'END'
return {
  input = {channels = 1, size = 8},
  recipe = {data = "three", batch = 4, epochs = 1, optimizer = "sgd", lr = 0.1},
  args = {classes = 0},
  network = function(x, args)
    print("the network has " .. args.classes)
    x = nn.conv2d(x, 2, {kernel = 3, name = "conv"})
    return nn.linear(nn.flatten(x), args.classes, {name = "fc"})
  end,
}
END
# Writes a network whose file has this number.
fixed() { sed "s/args.classes, {/$1, {/; s/args = {classes = 0},//; s/print.*//" open.lua; }

idx three train 8 8 0 1 2 0 1 2 0 1
idx three t10k 4 8 0 1 2 2

# The data decide, those of the tests too; the network is built once, and what was built is written down.
run 0 train open.lua --max-steps 2 --out run
in_err '^model .* 3 classes$'
in_err '^data  *three: 8 images to train on, 4 to test with, 3 classes$'
[ "$(grep -c 'the network has 3' err)" = 1 ] || fail "the model file ran more than once"
grep -q "the network has classes" err && fail "a network like its data is called larger"
run 0 eval run/last.safetensors --data three
run 0 train --resume run --max-steps 3
run 0 train open.lua --resume run --max-steps 4
idx more train 8 8 0 1 2 0 1 2 0 1
idx more t10k 4 8 0 1 2 4
run 0 train open.lua --data more --max-steps 1 --out more-run
in_err '^model .* 5 classes$'
in_err '4 to test with, 5 classes \(2 without images to train on\)$'
run 0 lr open.lua --data three
idx skips train 8 8 1 3 6 1 3 6 1 3
run 0 train open.lua --data skips --epochs 1 --out skips-run
in_err '8 images to train on, 7 classes \(4 without images to train on\)$'
refuse 1 'more has 5 classes, the network only 3: image 3 has the label 4. A trained network keeps its number' train --resume run --data more --max-steps 5

# --set decides against them; too few are refused with both numbers.
run 0 train open.lua --set classes=12 --max-steps 1 --out twelve
in_err '^model .* 12 classes$'
grep -q "the network has 12 classes" err && fail "who says classes=12 is told of it"
refuse 1 'three has 3 classes, the network only 2: image 2 has the label 2. Leave --set classes out, or say --set classes=3' train open.lua --set classes=2 --out x

# A file that fixes the number: too few are refused with the way out, spare ones said.
fixed 2 >two.lua
refuse 1 'three has 3 classes, the network only 2: .*In two.lua write args = \{classes = 3\} .* args.classes; then the data decide, or --set classes=3' train two.lua --out x
fixed 10 >ten.lua
run 0 train ten.lua --max-steps 1 --out ten
in_err '^ +the network has 10 classes: to those beyond the data.s 3 no image belongs$'

# Fine-tuning begins with a head for the data.
run 0 train open.lua --data more --init run/last.safetensors --max-steps 1 --out tuned
in_err '^model .* 5 classes$'
in_err 'The head fc begins anew: 3 classes in the file, 5 here'

# Without data a file's own number stays.
sed 's/data = "three", //; s/classes = 0/classes = 20/' open.lua >twenty.lua
run 0 train twenty.lua --max-steps 0 --out twenty
in_err '^model .* 20 classes$'
run 0 train twenty.lua --data three --max-steps 1 --out three-run
in_err '^model .* 3 classes$'
run 0 summary twenty.lua
in_out '^total .* 1 480 '
[ ! -e x ] || fail "a run that could not begin left a folder"

# What is wrong with a file is said as ever, with what it printed before.
sed 's/x = nn.conv2d.*/nn.nothing(x)/' open.lua >wrong.lua
refuse 1 'wrong.lua:7' train wrong.lua --out x
in_err 'the network has 3'
refuse 1 "'nowhere' is neither a folder nor a built-in data set" train open.lua --data nowhere --out x
