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
[ "$(grep -cE '^many/train/.*: (cat|dog) ' out)" = 18 ] || fail "not every picture has an answer"
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
cp "$corpus/empty" set/train/dog/171.png
refuse 1 '3 of the 200 images of set/train are damaged, more than 1 in 100' train two.lua --data set --out begun

# Folders that cannot be used.
mkdir set/test/cow
refuse 1 'class folder set/test/cow holds no pictures' train two.lua --data set --out run
rmdir set/test/cow
mkdir set/train/cow
refuse 1 'class folder set/train/cow holds no pictures' train two.lua --data set --out run
cp "$corpus/rgb.png" set/train/cow
refuse 1 'has 3 classes, the network only 2' train two.lua --data set --out run
mkdir -p one/train/cat
cp "$corpus/rgb.png" one/train/cat
refuse 1 'only one class, cat' train two.lua --data one --out run
mkdir -p bomb/cat bomb/dog
cp "$corpus/rgb.png" bomb/cat
cp "$corpus/bomb.jpg" bomb/dog
refuse 1 'bomb/dog/bomb.jpg cannot be decoded: Maximum supported image dimension' train two.lua --data bomb --out run
[ ! -e run ] || fail "a run that did not begin left its folder"
echo ok
