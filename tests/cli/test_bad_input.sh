# test_bad_input.sh: errors that say what, where and what to do; nothing lost. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# Data.
refuse 1 "'nowhere' is neither a folder nor" train tiny.lua --data nowhere --out run
refuse 1 "'tiny.lua' is a file; data lie in folders" train tiny.lua --data tiny.lua --out run
mkdir empty
refuse 1 'folder empty holds no data' train tiny.lua --data empty --out run
idx labels train 4 28 1 2 3 12
refuse 1 'image 3 has the label 12' train tiny.lua --data labels --out run
idx counts train 4 28 1 2 3
refuse 1 '4 images, but .* 3 labels' train tiny.lua --data counts --out run
idx short train 4 28 1 2 3 4
truncate -s 1000 short/train-images-idx3-ubyte
refuse 1 'short/train-images-idx3-ubyte' train tiny.lua --data short --out run
sed 's/data = "digits", //' tiny.lua >dataless.lua
refuse 2 'names no data' train dataless.lua --out run

# Models.
refuse 1 'nowhere.lua' train nowhere.lua --out run
echo 'return {input = ' >broken.lua
refuse 1 'broken.lua:[0-9]+' train broken.lua --out run
echo 'while true do end' >endless.lua
refuse 1 'endless.lua' train endless.lua --out run
sed 's/nn.linear.*end/nn.conv2d(nn.conv2d(x, 4, {kernel = 1}) + x, 4, {kernel = 1}) end/' tiny.lua >shapes.lua
refuse 1 'shapes.lua:4:.*×.*×' train shapes.lua --out run
refuse 2 'no argument "depth" to set; it has none' train tiny.lua --set depth=3 --out run
refuse 2 'no argument "dept" to set; it has .*depth.*stem' train "$models/resnet.lua" --set dept=34 --out run
refuse 2 'depth should be a number, not "deep"' summary "$models/resnet.lua" --set depth=deep

# Safetensors.
run 0 train tiny.lua --max-steps 0 --out good
head -c 1000 good/last.safetensors >cut.safetensors
refuse 1 'cut.safetensors' eval cut.safetensors --data digits
echo 'no such format' >text.safetensors
refuse 1 'text.safetensors' train tiny.lua --init text.safetensors --out run
refuse 1 'nowhere.safetensors' eval nowhere.safetensors
printf '\100\0\0\0\0\0\0\0%-64s\0\0\200?' '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' >foreign.safetensors
refuse 1 'not a checkpoint of Skipper' eval foreign.safetensors --data digits
refuse 1 'No weight of foreign.safetensors fits' train tiny.lua --init foreign.safetensors --out run

# What other trainers call an entry of the recipe is known there, too.
sed 's/lr = 0.1/learning_rate = 0.1/' tiny.lua >other.lua
refuse 1 'recipe: A recipe knows no "learning_rate". Did you mean lr\?' train other.lua --out other
sed 's/lr = 0.1/hatching_rate = 0.1/' tiny.lua >other.lua
refuse 1 'recipe: A recipe knows no "hatching_rate". It knows data, .*lr, ' train other.lua --out other

# What editors put before the first letter of a file is none of Lua's.
{ printf '\357\273\277'; cat tiny.lua; } >marked.lua
run 0 summary marked.lua --backend reference

# A batch that no device holds; images that are none.
refuse 1 'too large|out of|memory|bytes' bench tiny.lua --batch 1048576 --size 16384
echo 'not an image' >text.png
refuse 3 'text.png' predict good/last.safetensors text.png
base64 -d >bomb.png <<'END' # 60000 × 60000 pixels, it says
iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAAAAACluSqeAAAADElEQVR4nGNgoD0AAABkAAGGZDw1AAAAAElFTkSuQmCC
END
refuse 3 'bomb.png tells of 60000 × 60000 pixels' predict good/last.safetensors bomb.png
refuse 6 '1 of 1 images could not be read' predict good/last.safetensors nowhere.png
run 3 predict good/last.safetensors text.png "$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png"
in_err '1 of 2 images could not be read'
refuse 1 '^skipper eval: --report: Cannot create the folder' eval good/last.safetensors --data digits --report /proc/nowhere
# What is read is not written: a checkpoint, by whatever name, a run's file, a picture of the data. Pages and ONNX files are made anew.
cp -r good kept
ln -s kept/last.safetensors link
refuse 2 '^skipper predict: --logits: link is there already, and what this command reads' predict kept/last.safetensors --data digits --logits link
refuse 2 '--logits: kept/config.json is there' predict kept --data digits --logits kept/config.json
refuse 2 '--onnx: link is there' export kept/last.safetensors --onnx link
refuse 2 '--out: kept/log.jsonl is there' report kept --out kept/log.jsonl
refuse 2 '--trace: kept/config.json is there' train --resume --out kept --trace kept/config.json
idx given t10k 8 28 0 1 2 3 4 5 6 7
for again in 1 2; do
  run 0 export kept --onnx kept/net.onnx
  run 0 predict kept --data given --logits given/logits.safetensors
  run 0 train tiny.lua --init kept --max-steps 2 --trace-steps 1 --trace kept/trace.json --out traced
done
rm kept/trace.json
mkdir -p read && cp good/config.json read/train.csv
refuse 2 '--logits: read/train.csv is there' predict kept --data read --logits read/train.csv
idx own train 8 28 0 1 2 3 4 5 6 7
idx own t10k 8 28 0 1 2 3 4 5 6 7
cp own/t10k-images-idx3-ubyte images
sed 's/data = "[^"]*"/data = "own"/' tiny.lua >own.lua
grep -q '"own"' own.lua || fail "tiny.lua names no data"
run 0 train own.lua --max-steps 0 --out of-own
refuse 2 '--logits: own/t10k-images-idx3-ubyte is there' predict of-own --logits own/t10k-images-idx3-ubyte # which the recipe names
cmp images own/t10k-images-idx3-ubyte || fail "data were written over"
diff -r good kept | grep -qx 'Only in kept: net.onnx' || fail "a refused command changed what it reads: $(diff -r good kept)"
refuse 1 '^skipper predict: --logits: Cannot write' predict good/last.safetensors --data digits --logits /proc/nowhere
refuse 1 '^skipper export: --onnx: Cannot write' export good --onnx /proc/nowhere
refuse 1 '^skipper report: --out: Cannot write' report good --out /proc/nowhere
refuse 1 '^skipper lr: --curve: Cannot write' lr tiny.lua --backend reference --curve /proc/nowhere
refuse 1 '^skipper train: --tensorboard: Cannot create' train tiny.lua --max-steps 1 --out none --tensorboard /proc/nowhere
(ulimit -f 8; run 6 eval good/last.safetensors --data digits --report late --worst 5000) || exit 1 # what was found is told all the same
in_out '^accuracy [0-9.]+ %'
in_err '^skipper eval: --report: Cannot write late/worst.csv: .*ulimit -f'
(ulimit -f 2; run 6 lr tiny.lua --backend reference --curve late.csv) || exit 1
in_out '^suggestion: --lr '
in_err '^skipper lr: --curve: Cannot write late.csv'
[ ! -e late.csv ] || fail "half a curve"
[ ! -e none ] || fail "a run whose other folder cannot be made leaves its own"

# A loss that leaves the numbers: the run ends, what was saved stays.
idx set train 64 28 $(seq 0 63 | sed 's/.*\(.\)/\1/')
for batch in 8 64; do # in an epoch; at its end
  refuse 1 'became .* at step [0-9]+ .*learning rate 1e\+06.*--lr' train tiny.lua --data set --lr 1e6 --weight-decay 1 --batch $batch --epochs 200 --out diverged
  [ -z "$(find diverged -name '*.tmp')" ] || fail "a temporary file stayed"
  grep -qi 'nan\|inf' diverged/log.jsonl && fail "log.jsonl holds what JSON does not know"
done

# Folders that cannot be written.
refuse 1 '^skipper train: --out: Cannot create the folder /proc/nowhere' train tiny.lua --max-steps 1 --out /proc/nowhere
echo >file
refuse 1 'file' train tiny.lua --max-steps 1 --out file
if [ "$(id -u)" != 0 ]; then
  mkdir -m 555 readonly
  refuse 1 'readonly' train tiny.lua --max-steps 1 --out readonly
fi
refuse 1 '/proc/logits' predict good/last.safetensors --data set --logits /proc/logits.safetensors

[ ! -e run ] || fail "a run that did not begin left its folder: $(ls -R run)"
[ ! -e runs ] || fail "a folder nobody asked for"
echo ok
