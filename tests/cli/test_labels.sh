# test_labels.sh: a network's classes are told by their names, in whatever order and number they are met. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference
grey=$SKP_SOURCE_DIR/tests/fuzz/corpus/image/bit.png
rgb=$SKP_SOURCE_DIR/tests/fuzz/corpus/image/rgb.png

# pictures FOLDER CLASS…: each class of two kinds of pictures, so that a network can tell half of them apart by colour.
place() { mkdir -p "$1" && for i in 1 2 3 4 5 6; do cp "$2" "$1/$i.png"; done; }
cat >colour.lua <<'LUA'
return {
  input = {channels = 3, size = 8},
  recipe = {batch = 6, epochs = 60, optimizer = "adam", lr = 0.05},
  args = {classes = 2},
  network = function(x, args) return nn.linear(nn.flatten(x), args.classes) end,
}
LUA
place set/train/10 "$rgb"
place set/train/2 "$grey"
run 0 train colour.lua --data set --valid-split 0 --out r
run 0 eval r/last.safetensors --data set --json
in_out '"accuracy":1,'

# One class alone is a fine test set, wherever it stands in the order.
for class in 2 10; do
  mkdir -p one$class && cp -r set/train/$class one$class/
  run 0 eval r/last.safetensors --data one$class --json
  in_out '"accuracy":1,'
  in_out '"n":6,'
done
refuse 1 'holds only one class, 10; a network needs at least two' train colour.lua --data one10 --out nothing
[ ! -e nothing ] || fail "a start that failed left a folder"

# Classes that the network does not know are named and counted apart.
cp -r set/train more && place more/zebra "$rgb"
run 0 eval r/last.safetensors --data more --json
in_err '6 of the 18 images of more are of a class that the network does not know, and do not count: zebra \(6\)'
in_out '"accuracy":1,'
in_out '"unlabelled":6'
run 0 predict r/last.safetensors --data more --logits answers.safetensors

# A test folder beside the training images may have fewer classes, or more.
place set/test/2 "$grey"
place set/test/other "$rgb"
run 0 train colour.lua --data set --out r2
in_err 'other \(6\)'
in_out 'test accuracy 100.00 %'

# Numbers beside names cannot be told apart: only the user knows.
place named/cat "$rgb" && place named/dog "$grey"
run 0 train colour.lua --data named --valid-split 0 --out r3
idx numbers t10k 4 2 0 1 0 1
refuse 1 'its labels are mere numbers \(0, 1\), whereas the network learned cat, dog.*--labels number' eval r3 --data numbers
run 0 eval r3 --data numbers --labels number
refuse 1 'it has \(10, 2\), whereas the network learned cat, dog' eval r3 --data set/train
refuse 2 'labels is name or number' eval r3 --data set --labels nmae
# Numbered folders and numbers mean the same.
idx ten t10k 2 2 10 2
run 0 eval r --data ten

# A network that never saw a name takes classes in their order.
run 0 train colour.lua --max-steps 0 --out fresh
run 0 eval fresh --data named
run 0 predict fresh "$grey"
in_out 'bit.png: [01] '
