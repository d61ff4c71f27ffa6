# test_train.sh: a training run, what it writes, and what the other commands make of it. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
numbers='-?[0-9.]+(e-?[0-9]+)?'

run 0 train "$models/identity.lua" --max-steps 5 --batch 32 --out run
quiet='device|model|data|recipe|run'
for word in device model data recipe run; do in_err "^$word "; done
in_out 'saved in run'
[ "$(grep -c '"step"' run/log.jsonl)" = 5 ] || fail "log.jsonl has not 5 steps"
grep -Eqx "\{\"step\":1,\"loss\":$numbers,\"lr\":0.01\}" run/log.jsonl || fail "log.jsonl: $(head -1 run/log.jsonl)"
[ -z "$(find run -name '*.tmp')" ] || fail "a temporary file stayed"
in_file run/config.json '"optimizer":	"adam"'
head -c 4096 run/last.safetensors | grep -q block_1.1.num_batches_tracked || fail "num_batches_tracked is missing"

# The same command gives the same bits; the earlier run is kept.
run 0 train "$models/identity.lua" --max-steps 5 --batch 32 --out run
in_err 'earlier run in run now lies in run/earlier-1'
cmp run/last.safetensors run/earlier-1/last.safetensors || fail "two runs differ"
cmp run/log.jsonl run/earlier-1/log.jsonl || fail "two logs differ"
run 0 train "$models/identity.lua" --max-steps 5 --batch 32 --seed 2 --out run
[ -d run/earlier-2 ] || fail "the second run was not kept"
cmp -s run/last.safetensors run/earlier-1/last.safetensors && fail "the seed changes nothing"

# Whole epochs: a line each, and the best.
idx set train 100 28 $(seq 0 99 | sed 's/.*\(.\)/\1/')
idx set t10k 10 28 0 1 2 3 4 5 6 7 8 9
run 0 train tiny.lua --data set --epochs 2 --out epochs
in_err '^epoch 2/2  loss .* test accuracy .* data wait [0-9.]+ %$'
in_out '^test accuracy'
[ "$(grep -c '"epoch"' epochs/log.jsonl)" = 2 ] || fail "log.jsonl has not 2 epochs"
[ "$(grep -c '"step"' epochs/log.jsonl)" = 4 ] || fail "the last smaller batch is missing"
grep -Eq "^\{\"epoch\":2,\"train_loss\":$numbers,\"test_accuracy\":0\.1,.*\"img_per_s\":$numbers" epochs/log.jsonl || fail "epoch line"
head -1 epochs/results.csv | grep -q '^epoch,step,train_loss,test_accuracy' || fail "results.csv: $(head -1 epochs/results.csv)"
grep -Eq ",seconds,data_wait$" epochs/results.csv || fail "results.csv: $(head -1 epochs/results.csv)"
[ "$(wc -l <epochs/results.csv)" = 3 ] || fail "results.csv has not 3 lines"
[ -f epochs/best.safetensors ] || fail "best.safetensors is missing"
[ "$(wc -l <epochs/confusion.csv) $(wc -l <epochs/classes.csv) $(wc -l <epochs/worst.csv)" = "11 11 11" ] || fail "report: $(wc -l epochs/*.csv)"

# Images of another size are made what the network takes.
idx small train 64 20 $(seq 0 63 | sed 's/.*\(.\)/\1/')
run 0 train tiny.lua --data small --max-steps 1 --out small-run
in_err '20×20×1 is made 28×28×1'

# A schedule: the log tells the learning rate of each step.
run 0 train tiny.lua --data set --epochs 2 --schedule exponential --gamma 0.5 --out schedule
in_err 'learning rate 0.1, exponential schedule'
rates=$(sed -n '/"step"/s/.*"lr":\([0-9.e-]*\).*/\1/p' schedule/log.jsonl | grep -v '^$' | xargs)
[ "$rates" = "0.1 0.1 0.05 0.05" ] || fail "learning rates: $rates"

# A run that is shorter than the recipe's warms up in the same share of it, unless it is told.
sed 's/epochs = 1/epochs = 20, warmup = 5, schedule = "cosine"/' tiny.lua >warm.lua
run 0 train warm.lua --data set --epochs 2 --out warm
in_err ', cosine schedule, 0.5 epochs of warm-up'
run 0 train warm.lua --data set --epochs 2 --warmup 1 --out warm
in_err ', cosine schedule, 1 epoch of warm-up'
refuse 2 'warm-up of 5 epochs does not end' train warm.lua --data set --epochs 2 --warmup 5 --out x
refuse 2 'cosine needs to know .* another --schedule' train warm.lua --data set --epochs 0 --max-steps 2 --out x

# The large networks' recipes, in a run of any length.
run 0 train "$models/resnet.lua" --data shapes --size 32 --epochs 1 --max-steps 1 --out resnet
in_err '^recipe   sgd, learning rate 0.02, cosine schedule, 0.1 epochs of warm-up, momentum 0.9'
in_err '^augment  random resized crop from 0.35, horizontal flip$'
run 0 train "$models/vgg.lua" --set depth=11 --set hidden=16 --data shapes --size 32 --epochs 2 --max-steps 1 --out vgg
in_err '^recipe   sgd, learning rate 0.01, cosine schedule, 0.2 epochs of warm-up, momentum 0.9'

# Augmentation changes what is learnt, and --no-augment leaves it out.
all="--random-resized-crop 0.3 --flip --crop-padding 2 --cutout 8 --brightness 0.2 --erasing 0.5 --mixup 0.2"
run 0 train tiny.lua --max-steps 3 $all --out augmented
in_err '^augment  random resized crop from 0.3, random crop with 2 pixels around, horizontal flip, cutout 8, random erasing 0.5, colour jitter 0.2/0/0/0, mixup 0.2$'
all="$all --trivial-augment --rand-augment 9 --cutmix 1 --blur 1.5 --rotate 10"
run 0 train tiny.lua --max-steps 3 $all --out more
in_err '^augment .*, TrivialAugment, RandAugment 2 times at 9, mixup 0.2, cutmix 1, blur 1.5, rotation by up to 10 degrees$'
cmp -s more/log.jsonl augmented/log.jsonl && fail "TrivialAugment, RandAugment, cutmix, blur and rotation change nothing"
refuse 2 'rand_augment is a whole number from 0 to 30, not "31"' train tiny.lua --rand-augment 31 --out x
run 0 train tiny.lua --max-steps 3 $all --no-augment --out bare
run 0 train tiny.lua --max-steps 3 --out plain
cmp plain/log.jsonl bare/log.jsonl || fail "--no-augment leaves some"
cmp -s plain/log.jsonl augmented/log.jsonl && fail "augmentation changes nothing"
run 0 train tiny.lua --max-steps 3 --resize 32 --out resized
cmp -s plain/log.jsonl resized/log.jsonl && fail "--resize changes nothing"
run 0 train tiny.lua --max-steps 1 --data shapes --out shapes
in_err 'shapes: 20 000 images to train on, 4 000 to test with'
refuse 2 'resized to 20 have no room' train tiny.lua --resize 20 --out x

# Uneven classes are named, with what helps; balanced ones come as often as the others.
idx uneven train 22 28 1 1 $(yes 3 | head -20)
run 0 train tiny.lua --data uneven --epochs 1 --batch 22 --out uneven-run
in_err '^         very uneven: 2 of 1, 20 of 3; --balanced shows each class equally often$'
run 0 train tiny.lua --data uneven --epochs 1 --batch 22 --balanced --out balanced-run
in_err '^recipe .*, classes balanced, '
grep -q "very uneven" err && fail "a balanced run is told to be one"
cmp -s uneven-run/log.jsonl balanced-run/log.jsonl && fail "--balanced changes nothing"
run 0 train tiny.lua --data set --max-steps 1 --out even
grep -q "very uneven" err && fail "even classes are called uneven"

# Without steps; and from weights of a file, which come out as they went in.
run 0 train tiny.lua --max-steps 0 --out none
run 0 train tiny.lua --max-steps 0 --seed 9 --init none/last.safetensors --out again
in_err '2 weights loaded from none/last.safetensors, 0 left'
cmp none/last.safetensors again/last.safetensors || fail "--init changes weights"
run 0 train "$models/identity.lua" --max-steps 0 --out other
refuse 1 'No weight of other/last.safetensors fits' train tiny.lua --max-steps 0 --init other/last.safetensors --out x
in_err 'block_1.0.weight: not in the model'
[ ! -d x ] || fail "a run that did not begin left its folder"

# Another number of classes: the head begins anew. What is frozen stays, to the bit.
cat >base.lua <<'END'
return {
  input = {channels = 1, size = 28},
  args = {classes = 10},
  recipe = {data = "digits", batch = 64, epochs = 1, lr = 0.1},
  network = function(x, args)
    x = nn.relu(nn.conv2d(x, 2, {kernel = 3, stride = 2, name = "conv1"}))
    return nn.linear(nn.flatten(x), args.classes, {name = "fc"})
  end,
}
END
run 0 train base.lua --max-steps 0 --out base
run 0 train base.lua --set classes=12 --init base/last.safetensors --freeze conv1 --lr-mult fc=2 --max-steps 2 --out fine
in_err '^  fc.bias: F32 10 in the file, F32 12 in the model$'
in_err '^  The head fc begins anew: 10 classes in the file, 12 here$'
in_err '2 weights loaded from base/last.safetensors, 2 left'
in_err '^frozen   20 of 4 088 parameters$'
run 0 train base.lua --max-steps 0 --init fine/last.safetensors --out back
in_err '2 weights loaded from fine/last.safetensors, 2 left'
cmp base/last.safetensors back/last.safetensors || fail "frozen weights changed"
refuse 2 'freeze: no parameter of the network fits "conv2"' train base.lua --freeze conv2 --out x

# Steps in parts are those of the whole (no batchnorm here); the last batch of 100 is smaller. For lack of memory it goes by itself.
losses() { sed -n 's/.*"step":[0-9]*,"loss":\([0-9.e-]*\).*/\1/p' "$1/log.jsonl"; }
close() { paste <(losses "$1") <(losses "$2") | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-5) bad = 1 } END { exit bad || NR != 4 }'; }
run 0 train tiny.lua --data set --epochs 2 --backend reference --out whole
run 0 train tiny.lua --data set --epochs 2 --backend reference --accumulate 3 --out parts
in_err ', 3 micro-batches a step, batch 64'
run 0 train tiny.lua --data set --backend reference --accumulate 7 --batch 4 --max-steps 1 --out pieces
in_err ', 4 micro-batches a step \(its images do not make 7\), batch 4'
close whole parts || fail "accumulated steps differ: $(losses whole | xargs), $(losses parts | xargs)"
SKIPPER_MEMORY=0.3 run 0 train tiny.lua --data set --epochs 2 --backend reference --out little
in_err 'not enough memory for a whole step: its images go through the network (32|16|8) at a time'
in_err 'Batchnorms then see the statistics of so many images only'
close whole little || fail "steps in little memory differ: $(losses whole | xargs), $(losses little | xargs)"
SKIPPER_MEMORY=0.08 run 1 train tiny.lua --data set --backend reference --out x
in_err 'memory'
SKIPPER_MEMORY=much run 2 train tiny.lua --backend reference --out x
in_err 'SKIPPER_MEMORY is a number of MiB, not "much"'

# A run without --out gets a folder of its own.
run 0 train tiny.lua --max-steps 1
run 0 train tiny.lua --max-steps 1
[ -f runs/tiny-1/last.safetensors ] && [ -f runs/tiny-2/last.safetensors ] || fail "runs/tiny-1 and -2: $(ls runs)"

# eval and predict need nothing but the checkpoint.
rm tiny.lua
run 0 eval epochs/best.safetensors --data set --json
in_out '^\{"accuracy":0\.1[0-9]*,"top5":[0-9.]+,"loss":[0-9.]+,"n":10,"img_per_s":[0-9.]+,"unlabelled":0,"unknown_images":0,"unknown_classes":\[\],"not_finite":0,"classes":\['
in_out '\{"class":"3","images":1,"predicted":[0-9]+,"right":[01],"precision":(null|[0-9.]+),"recall":[01],"f1":[0-9.]+\}'
run 0 eval epochs/best.safetensors --data set --report report --worst 3
in_out '^accuracy 10.00 %  top-5 50.00 %  loss [0-9.]+  10 images'
in_out '^9 +1 +(-|0\.[0-9]+) +[01]\.0000 +[0-9.]+'
in_out '^ +[0-9.]+  #[0-9]: [0-9], taken for [0-9] with [0-9.]+ %$'
[ "$(wc -l <report/confusion.csv) $(wc -l <report/classes.csv) $(wc -l <report/worst.csv)" = "11 11 4" ] || fail "report: $(wc -l report/*)"
run 0 predict epochs/best.safetensors --data set --logits logits.safetensors
head -c 300 logits.safetensors | grep -q '"logits":{"dtype":"F32","shape":\[10,10\]' || fail "logits"
head -c 300 logits.safetensors | grep -q '"labels":{"dtype":"I32","shape":\[10\]' || fail "labels"
base64 -d >dot.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTjcMgAAAABJRU5ErkJggg==
END
run 0 predict epochs/best.safetensors dot.png --top 2
in_out '^dot\.png: [0-9] [0-9.]+ %, [0-9] [0-9.]+ %$'
run 0 predict epochs/best.safetensors dot.png --json
in_out '^\[\{"image":"dot.png","top":\[\{"index":[0-9],"class":"[0-9]","probability":[0-9.e-]+\}'
refuse 1 'nowhere.png' predict epochs/best.safetensors nowhere.png

# Folders of images; one that is damaged does not keep the others from being looked at.
mkdir -p photos/b photos/none
cp dot.png photos/z.PNG
cp dot.png photos/b/dot.png
echo 'no image' >photos/notes.txt
run 0 predict epochs/best.safetensors photos dot.png --top 20
[ "$(cut -d: -f1 out | xargs)" = "photos/b/dot.png photos/z.PNG dot.png" ] || fail "images: $(cut -d: -f1 out)"
[ "$(sed -n 1p out | tr -cd % | wc -c)" = 10 ] || fail "not all ten classes: $(head -1 out)"
cp photos/notes.txt photos/a.jpg
run 1 predict epochs/best.safetensors photos
in_err 'photos/a.jpg'
in_err '1 of 3 images could not be read'
[ "$(wc -l <out)" = 2 ] || fail "the other images are missing"
refuse 1 'photos/none holds no images' predict epochs/best.safetensors photos/none
echo ok
