# test_images.sh: folders of pictures, damaged ones among them. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
corpus=$SKP_SOURCE_DIR/tests/fuzz/corpus/image

# A network for two classes of colour images, and 100 pictures of each: JPEG and PNG, grey, CMYK, with alpha and a palette.
cat >two.lua <<'END'
return {
  input = {channels = 3, size = 12},
  recipe = {batch = 50, epochs = 1, optimizer = "sgd", lr = 0.01},
  network = function(x) return nn.linear(nn.flatten(x), 2, {name = "fc"}) end,
}
END
mkdir -p set/train/cat set/train/dog set/test/dog
kinds=(rgb.jpg grey.jpg cmyk.jpg rgb.png alpha.png palette.png grey.png)
for i in $(seq 100 199); do
  kind=${kinds[i % 7]}
  cp "$corpus/$kind" "set/train/cat/$i.${kind#*.}"
  cp "$corpus/$kind" "set/train/dog/$i.${kind#*.}"
done
cp "$corpus/rgb.png" "$corpus/palette.png" set/test/dog
run 0 train two.lua --data set --out sound
in_err '^data .*set: 200 images to train on, 2 to test with, 2 classes; .*is made 12×12×3'
run 0 eval sound/last.safetensors --data set
grep -q damaged err && fail "nothing is damaged"
grep -q 'Class' err && fail "the classes are those of the training images"
mkdir -p other/cat other/cow
cp "$corpus/rgb.png" other/cat
cp "$corpus/rgb.png" other/cow
run 0 eval sound/last.safetensors --data other
in_err '1 of the 2 images of other is of 1 unknown class and does not count: cow'
run 0 predict sound/last.safetensors "$corpus/cmyk.jpg" "$corpus/bit.png"
in_out 'cmyk.jpg: (cat|dog) [0-9.]+ %'

# Each format, whatever the file is called, and a picture of 1 000 000 × 1 pixels.
mkdir -p many/train/cat many/train/dog
for kind in webp_lossy.webp webp_anim.webp gif_off.gif tiff_rgb_tiles.tif bmp_rle8.bmp jpeg_cmyk_420.jpg jpeg_4x1_1x1_1x1.jpg; do
  cp "$corpus/$kind" many/train/cat
  cp "$corpus/$kind" many/train/dog
done
cp "$corpus/tiff_i16.tif" many/train/cat/really_tiff.jpg
cp "$corpus/rgb.jpg" many/train/dog/a.jfif
cp "$corpus/rgb.jpg" many/train/dog/b.JPE
{
  printf 'BM\0\0\0\0\0\0\0\0\76\0\0\0\50\0\0\0\100\102\17\0\1\0\0\0\1\0\1\0'
  head -c 24 /dev/zero
  printf '\0\0\0\0\377\377\377\0'
  head -c 125000 /dev/zero
} >many/train/dog/line.bmp
cp -r many/train many/test
run 0 train two.lua --data many --strict --out many-run
in_err 'many: 18 images to train on, 18 to test with'
run 0 predict many-run/last.safetensors many/train
[ "$(grep -cE '^many/train/.*: (cat|dog) ' out)" = 18 ] || fail "not every picture has a prediction"
echo 'no picture at all' >text.png
refuse 1 'text.png is no picture of the formats that can be read \(JPEG, PNG' predict many-run/last.safetensors text.png

# Two damaged ones are passed over, named and counted once; in tests they do not count.
cp "$corpus/truncated.jpg" set/train/cat/154.jpg
cp "$corpus/truncated.png" set/train/dog/160.png
run 0 train two.lua --data set --epochs 2 --out damaged
in_err '^2 of the 200 images of set are damaged and passed over:'
[ "$(grep -c 'train/cat/154.jpg is truncated' err)" = 1 ] || fail "154.jpg is not named once"
run 0 train two.lua --data set --epochs 2 --threads 3 --out again
cmp damaged/last.safetensors again/last.safetensors || fail "the number of threads changes the result"
refuse 1 'set/train has damaged images:' train two.lua --data set --strict --out run
# So are five, though they are more than 1 in 100; a sixth is too much before there is a run. Both limits are remembered.
for i in 171 172 173; do cp "$corpus/empty" set/train/dog/$i.png; done
run 0 train two.lua --data set --out five
in_err '^5 of the 200 images of set are damaged and passed over:'
refuse 1 '5 of the 200 images of set/train are damaged, more than --max-damaged says' train two.lua --data set --max-damaged 4 --out run
cp -r set/test tested
sound=$(find tested -type f | wc -l)
cp "$corpus/truncated.png" tested/dog/broken.png
run 0 eval five --data tested --json # what is damaged is not among the images, nor among those without a label
in_out "\"n\":$sound,.*\"unlabelled\":0,"
cp "$corpus/truncated.jpg" set/train/cat/161.jpg
refuse 1 '6 of the 200 images of set/train are damaged, more than 1 in 100 and than 5 .--max-damaged N' train two.lua --data set --out run
refuse 1 '6 of the 200 images' train two.lua --data set
[ ! -e runs ] || fail "a run that did not begin left its folder"
run 0 train two.lua --data set --epochs 2 --max-steps 1 --max-damaged 6 --out bears
run 0 train --resume bears --max-steps 3
refuse 2 'strict bears no damaged image' train two.lua --data set --strict --max-damaged 6 --out run
cp "$corpus/rgb.png" set/test/dog/more.png
cp -r set strict-set
rm strict-set/train/dog/{160,171,172,173}.png strict-set/train/cat/{154,161}.jpg
run 0 train two.lua --data strict-set --epochs 2 --max-steps 1 --strict --out strict-run
cp "$corpus/truncated.png" strict-set/test/dog/more.png
refuse 1 'strict-set/test has damaged images:' train --resume strict-run --max-steps 3
rm set/train/cat/161.jpg
ln -s /nowhere/at/all.jpg set/train/cat/161.jpg
run 0 train two.lua --data set --max-damaged 10 --out missing
in_err '^6 of the 200 images of set are damaged or missing and passed over:'
in_err 'train/cat/161.jpg is missing: it is a link to /nowhere/at/all.jpg, where nothing is'

# Folders that cannot be used.
rm set/train/cat/161.jpg
cp -r set less
mkdir set/train/cow
refuse 1 'class folder set/train/cow holds no pictures .* Put pictures of the class into it, or remove the folder' train two.lua --data set --out run
cp "$corpus/rgb.png" set/train/cow
refuse 1 'has 3 classes, the network only 2' train two.lua --data set --out run
mkdir -p one/train/cat
cp "$corpus/rgb.png" one/train/cat
refuse 1 'only one class, cat; a network needs at least two to tell apart.$' train two.lua --data one --out run
mkdir unpacked && cp -r one unpacked/animals
refuse 1 'only one class, animals; .* If the set is what lies in it, say --data unpacked/animals.$' train two.lua --data unpacked --out run

# One picture of each class: none can be held out, and it is said.
mkdir -p single/one single/two
cp "$corpus/rgb.png" single/one
cp "$corpus/rgb.png" single/two
run 0 train two.lua --data single --epochs 1 --out single-run
in_err '2 images to train on, none to judge by \(too few to leave any out\), 2 classes'
# A picture of one column and a million rows among good ones is one as any other, whatever the size; predict names what it cannot read, and goes on.
mkdir -p thin/one thin/two
for k in $(seq 8); do cp "$corpus/rgb.png" thin/one/$k.png && cp "$corpus/rgb.png" thin/two/$k.png; done
cp "$corpus/thin.png" thin/one
for size in 8 300; do
  run 0 train two.lua --data thin --size $size --trivial-augment --random-resized-crop 0.1 --valid-split 0 --out thin-$size
done
cp "$corpus/empty" thin/one/empty.png
run 1 predict thin-300 thin/one
in_err 'empty.png'
in_out '^thin/one/thin.png: '
[ "$(wc -l <out)" = 9 ] || fail "$called: not all pictures are told"
mkdir -p bomb/cat bomb/dog
cp "$corpus/rgb.png" bomb/cat
cp "$corpus/bomb.jpg" bomb/dog
refuse 1 'bomb/dog/bomb.jpg cannot be decoded: Maximum supported image dimension' train two.lua --data bomb --out run

# The one picture that is held out is the damaged one, which some seed brings about: nothing is left to judge by.
mkdir -p lone/cat lone/dog
for i in 1 2 3 4 5; do cp "$corpus/rgb.png" lone/cat/$i.png && cp "$corpus/rgb.png" lone/dog/$i.png; done
cp "$corpus/truncated.png" lone/cat/6.png
for seed in $(seq 60); do
  "$skipper" train two.lua --data lone --batch 5 --seed $seed --out alone --backend reference >out 2>err
  status=$?
  grep -q 'valid accuracy 0.00 %  valid loss 0.0000' err && fail "seed $seed: figures of no image"
  [ $status = 0 ] || break
done
called="seed $seed"
[ $status = 3 ] || fail "status $status"
in_err 'Of the 1 images of lone that the run is judged by none is sound and of a known class, so it cannot be.'

# Parts that hold pictures nobody has sorted, or nothing: training goes on, with a tenth held out where none are left to judge by.
rm -r less/test
mkdir -p less/test less/val
run 0 train two.lua --data less --out unsorted
in_err '^less/test holds no pictures: it is passed over'
in_err '^less/val holds no pictures: it is passed over'
in_err 'data +less: 179 images to train on, 20 to judge by .left out of the training; --valid-split 0 trains on all 199., 2 classes'
in_out '^valid accuracy'
cp "$corpus/rgb.png" less/test/1.png
cp "$corpus/rgb.png" less/test/2.png
echo id,class >less/train/cat/list.csv
run 0 train two.lua --data less --out unsorted
in_err '^Passed over in less/train: 1 .csv\.'
in_err 'less/test: 2 images in none of the classes .* they test nothing; skipper predict unsorted less/test tells what'
run 0 predict unsorted less/test
in_out '^less/test/2.png: (cat|dog)'
run 0 predict unsorted --data less --logits logits.safetensors
in_out 'logits of 2 images'
run 0 eval unsorted --data less
in_err 'No classes are known of the pictures in less/test'
in_err 'less has no test images: its training images are used'
run 0 train two.lua --data less --valid-split 0 --out all
in_err 'less: 199 images to train on, 2 classes'
run 0 train --resume unsorted --epochs 2
in_err 'less: 179 images to train on, 20 to judge by, 2 classes'
run 0 train two.lua --data less --no-shuffle --out stored
in_err 'less: 199 images to train on, 2 classes'

# With val and test: val judges, test is used once.
rm -r less/test less/val
cp -r one/train less/val
mkdir -p less/test/dog
cp "$corpus/rgb.png" less/test/dog
run 0 train two.lua --data less --valid-split 0.5 --out three
in_err 'less has images of its own to judge by: none are held out'
in_err 'less: 199 images to train on, 1 to judge by, 1 to test with'
in_out 'test accuracy .* with the best weights'
[ "$(grep -c '"valid_accuracy"' three/log.jsonl)$(grep -c '"test_accuracy"' three/log.jsonl)" = 11 ] || fail "val did not judge, or test not once"

# Names in any bytes: JSON stays valid, and runs are resumed, from other folders, too.
strange=$(printf 'd\351 "q"\nx')
mkdir -p "$strange/$(printf 'caf\351')" "$strange/th\\e"
for i in 1 2 3; do
  cp "$corpus/rgb.png" "$strange/$(printf 'caf\351')/$(printf '\377 %d.png' $i)"
  cp "$corpus/rgb.png" "$strange/th\\e/$i.PNG"
done
run 0 train two.lua --data "$strange" --epochs 9 --max-steps 1 --out strange-run
run 0 train --resume strange-run --max-steps 2
mkdir -p elsewhere
(cd elsewhere && run 0 train --resume ../strange-run --max-steps 3 && in_err '5 images to train on, 1 to judge by') || exit 1
run 0 train two.lua --data less --epochs 9 --max-steps 1 --out moves
(cd elsewhere && run 0 train --resume ../moves --max-steps 3) || exit 1
run 0 eval strange-run --data "$strange" --json
iconv -f UTF-8 -t UTF-8 out >/dev/null || fail "eval --json is not UTF-8"
in_out '"class":"caf\\\\xE9"'
run 0 predict strange-run "$strange/$(printf 'caf\351')" --json
iconv -f UTF-8 -t UTF-8 out >/dev/null || fail "predict --json is not UTF-8"
in_out 'caf\\\\xE9/\\\\xFF 1\.png' # as in the reports
for file in strange-run/config.json strange-run/log.jsonl strange-run/worst.csv strange-run/confusion.csv; do
  iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || fail "$file is not UTF-8"
done
[ ! -e run ] || fail "a run that did not begin left its folder"
echo ok
