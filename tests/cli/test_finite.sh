# test_finite.sh: predictions that are infinite or not numbers are none: not in figures, not in files. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

# Weights of 1e38: the answer to a black picture is the bias, to one white pixel is 2e38 · 1.5, to more than one it is infinite.
cat >huge.lua <<'END'
return {
  input = {channels = 1, size = 4},
  recipe = {data = "set", batch = 2, epochs = 2, optimizer = "sgd", lr = 1e-30},
  args = {classes = 0},
  network = function(x, args)
    local values = {}
    for i = 1, 16 * args.classes do values[i] = i <= 16 and 3e38 or -3e38 end
    return nn.linear(nn.flatten(x), args.classes, {name = "fc", values = values})
  end,
}
END
grey() { printf BM; for n in 102 0 54 40 4 -4; do le32 $n; done; printf '\1\0\30\0'; for n in 0 0 0 0 0 0; do le32 $n; done; head -c 48 /dev/zero | tr '\0' "$1"; }
for class in a b; do
  mkdir -p set/train/$class white/$class mixed/$class
  for i in 1 2 3; do
    bmp 16 >set/train/$class/$i.bmp # black
    grey '\377' >white/$class/$i.bmp
    cp set/train/$class/$i.bmp mixed/$class/
  done
done
cp white/a/1.bmp mixed/a/4.bmp
# Pictures that are dark on light are said once.
run 0 train huge.lua --data set --max-steps 0 --valid-split 0 --out dark
run 1 predict dark white/a/*.bmp white/b/1.bmp
in_err '^white/a/1.bmp and 3 more are dark on light; for a network trained on light on dark, as MNIST is, add --invert.$'
[ "$(grep -c 'dark on light;' err)" = 1 ] || fail "said more than once"
run 1 predict dark white/a/1.bmp set/train/a/1.bmp
in_err '^white/a/1.bmp is dark on light;'
json() { grep -Eiq '[:,[](nan|-?inf)' "$1" && fail "$1 is no JSON"; return 0; }

# A trained network: no figures where no prediction is finite; else it is said how many are none, and they are wrong.
run 0 train huge.lua --valid-split 0 --max-steps 0 --out net
refuse 1 "The network's predictions for the images of white are infinite or not numbers\. A run that diverged" eval net --data white
refuse 1 "The network's predictions for the images of white are infinite or not numbers" eval net --data white --json
refuse 1 '--report: Cannot create the folder' eval net --data white --report /proc/nowhere # before the work
run 0 eval net --data mixed --json --report report
in_out '"accuracy":0.4285714[0-9]*,.*"loss":0\.[0-9]+,"n":7,.*"not_finite":1,'
in_out '"image":3,"name":"a/4.bmp","class":"a","prediction":null,"loss":null,"confidence":null'
json out
grep -qx '3,a/4.bmp,a,,,' report/worst.csv || fail "worst.csv: $(cat report/worst.csv)"
grep -Eiq 'nan|inf' report/*.csv && fail "a figure that is none in $(grep -Eil 'nan|inf' report/*.csv)"
run 0 eval net --data mixed
in_out '^1 prediction.* not finite'
in_out 'a/4.bmp: a, and the prediction is not finite'

# predict names the picture, shows the others, and fails.
run 1 predict net white/a/1.bmp
quiet_out
in_err "white/a/1.bmp: the network's prediction is not finite"
run 1 predict net white/a/1.bmp mixed/a/1.bmp --json
in_out '^\[\{"image":"white/a/1.bmp","top":\[\],"version":2,"error":"[^"]* not finite"\},\{"image":"mixed/a/1.bmp","top":\[\{"index":[01],"class":"[ab]","probability":0\.[0-9]+\}'
json out
run 1 predict net white/a/1.bmp --json
in_out '^\[\{"image":"white/a/1.bmp","top":\[\],"version":2,"error":"[^"]* not finite"\}\]$'
run 1 predict net mixed white --top 1
[ "$(wc -l <out)" = 6 ] || fail "not 6 predictions"
grep -q -- '-100\|nan' out && fail "a prediction that is none"
in_err '7 predictions are infinite or not numbers'
run 1 predict net --data mixed --logits logits
[ -s logits ] || fail "no file of logits"
in_err '1 prediction is infinite or not a number'

# In training such an evaluation ends the run as such a loss does: no accuracy, no best.
cp -r white set/test
run 1 train huge.lua --valid-split 0 --out run
in_err "The network's predictions for the images of set are infinite or not numbers at step 3 \(epoch 1\) with the learning rate 1e-30. Try a smaller learning rate"
[ ! -e run/best.safetensors ] || fail "the best of no figures"
[ "$(wc -l <run/results.csv)" = 1 ] || fail "results.csv: $(cat run/results.csv)"
grep -q '"epoch"' run/log.jsonl && fail "an epoch without figures: $(tail -1 run/log.jsonl)"
rm -r set/test
cp -r mixed set/test
run 0 train huge.lua --valid-split 0 --out partly
in_err '1 of the predictions for the 7 images of set are not finite: they count as wrong'
in_out '^test accuracy 42.86 %'
grep -Eiq '(nan|inf)[,}]' partly/log.jsonl && fail "no JSON: $(tail -1 partly/log.jsonl)"
grep -Eiq '(nan|inf)' partly/results.csv && fail "results.csv: $(cat partly/results.csv)"

# The largest losses that finite predictions can have are finite.
bmp 1 >one.bmp
mkdir -p far/b && cp one.bmp far/b/
run 0 eval net --data far --json
in_out '"accuracy":0,"top5":1,"loss":3\.40282[0-9]*e\+38,"n":1,.*"not_finite":0'
echo ok
