# test_single.sh: batchnorms on maps of one pixel, which can make nothing of a single image. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

cat >pixel.lua <<'END'
return {
  input = {channels = 1, size = 8},
  recipe = {batch = 4, epochs = 2, optimizer = "sgd", lr = 0.1, brightness = 0.9},
  network = function(x)
    x = nn.batchnorm2d(nn.conv2d(x, 3, {kernel = 8, name = "conv"}), {name = "bn"})
    return nn.linear(nn.flatten(x), 2, {name = "fc"})
  end,
}
END
idx nine train 9 8 0 1 1 0 1 0 0 1 1
idx eight train 8 8 0 1 1 0 1 0 0 1
left='The last image of each epoch is left out: it would be alone, and bn'

# The epoch is that of the images without it; what it leaves is that of a run without the image.
run 0 train pixel.lua --data nine --no-shuffle --out nine-run
[ "$(grep -c "$left" err)" = 1 ] || fail "that an image is left out is not said once"
[ "$(grep -c '"step"' nine-run/log.jsonl)" = 4 ] || fail "the epochs have not two steps each"
run 0 train pixel.lua --data eight --no-shuffle --out eight-run
grep -q "left out" err && fail "an image is said to be left out where none is"
cmp <(grep '"step"' nine-run/log.jsonl) <(grep '"step"' eight-run/log.jsonl) || fail "the run is not that of eight images"

# Each epoch leaves out another one; a resumed run goes on exactly; so with parts.
for words in "" "--accumulate 2 --batch 5"; do
  run 0 train pixel.lua --data nine $words --epochs 3 --out whole
  grep -q "$left" err || fail "nothing is left out with $words"
  run 0 train pixel.lua --data nine $words --epochs 3 --max-steps 3 --out part
  run 0 train --resume part --max-steps 6
  cmp whole/last.safetensors part/last.safetensors || fail "a resumed run differs with \"$words\""
done

# A step that has one image by itself is refused, before there is a folder.
refuse 2 'bn normalises maps of one pixel.*larger --batch than 1, or larger images' train pixel.lua --data nine --batch 1 --out x
refuse 2 'Of 4 images in 4 micro-batches one has a single image' train pixel.lua --data nine --accumulate 4 --out x
refuse 2 'larger --batch' lr pixel.lua --data nine --batch 1
refuse 2 'larger --batch' bench pixel.lua --batch 1
idx one train 1 8 1
refuse 2 'only one image to train on' train pixel.lua --data one --out x
[ ! -e x ] || fail "a run that could not begin left a folder"
# The search for a batch that fits comes upon sizes that would be refused.
sed 's/size = 8/size = 256/; s/kernel = 8/kernel = 256/' pixel.lua >large.lua
SKIPPER_MEMORY=6 run 0 summary large.lua --backend reference --batch 64 --accumulate 4
in_out 'largest batch that fits is [0-9]+'
run 0 train pixel.lua --data nine --batch 1 --freeze bn --freeze-bn --max-steps 2 --out frozen
run 0 train pixel.lua --data one --max-steps 0 --out written
