# test_report.sh: the page about runs, and runs beside each other. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

run 0 train tiny.lua --epochs 2 --out one --backend reference
run 0 train tiny.lua --epochs 2 --lr 0.05 --out "t<w>o" --backend reference
run 0 report one "t<w>o" --out page.html
in_err 'page.html'
quiet_out
in_file page.html '<!doctype html>' 'Training loss of each step' 'Learning rate' '>step 1<' 'Accuracy' '<polyline' 't&lt;w>o' 'skipper train tiny' 'The recipe' 'The network: 2 layers' \
  'Which classes are mixed up' 'Most confused' 'data:image/png;base64,' 'role="img"' 'The network, drawn' '</html>'
! grep -qE '(src|href)="?(https?:|//)|@import|fetch\(|t<w>o' page.html || fail "the page needs something else, or shows a name raw"
same=$(grep -oE '<[a-z0-9]+ [^>]*\bid=[^ >]+' page.html | sed 's/.*id=//' | sort | uniq -d)
[ -z "$same" ] || fail "several elements are called $same"
[ "$(grep -oE 'for=shares[01]>' page.html | wc -l)" = 2 ] || fail "not a box of shares for each run"
[ "$(grep -o '<figure class=picture>' page.html | wc -l)" = 48 ] || fail "not 24 pictures of each run"
# Pictures tell prediction and confidence, those of runs of earlier versions, whose columns had other names, too.
told=', taken for <b>[0-9]</b>, confidence [0-9]+ %'
[ "$(grep -oE "$told" page.html | wc -l)" = 48 ] || fail "pictures without their predictions"
[ "$(head -1 one/worst.csv)" = image,name,class,prediction,loss,confidence ] || fail "worst.csv: $(head -1 one/worst.csv)"

# Beside each of the pairs that are mixed up most are its own images, as many as confused.csv has, in its order.
[ "$(head -1 one/confused.csv)" = image,name,class,prediction,loss,confidence ] || fail "confused.csv: $(head -1 one/confused.csv)"
run 0 report one --out page.html
pairs() { tr -d '\n' <"$1" | grep -oE '<ol class=pairs>.*' | sed 's/<ol class=pairs>//; s/<.ol>.*//; s/<li>/\n/g' | sed 1d; }
pairs page.html >pairs
[ "$(wc -l <pairs)" = 12 ] || fail "not 12 pairs: $(wc -l <pairs)"
while read -r line; do
  pair=$(sed -E 's/^<b>([0-9])<.b> taken for <b>([0-9])<.b>.*/\1,\2/' <<<"$line") words="${line#*: }"
  wrong=${words%% of *}
  shown=$(grep -oE "<img alt=\"${pair/,/, taken for }, confidence [0-9]+ %\" src=\"data:image/png;base64,[^\"]{100,}\"><figcaption>[0-9]+ % sure<br><small>#[0-9]+<" <<<"$line" | grep -oE '#[0-9]+')
  [ "$(grep -o '<img' <<<"$line" | wc -l)" = $((wrong < 3 ? wrong : 3)) ] || fail "not the images of a pair: $pair, $wrong"
  [ "$shown" = "$(grep -E "^[0-9]+,#[0-9]+,$pair," one/confused.csv | cut -d, -f2)" ] || fail "other images of $pair: $shown"
done <pairs
# Names are shown as they are; without images, as in folders of earlier versions, there are the pairs.
cp one/confusion.csv kept.csv && cp one/confused.csv kept-2.csv
printf 'class,"<b ""q"">",z\n"<b ""q"">",1,2\nz,0,1\n' >one/confusion.csv
sed -i '2s/^\([^,]*,[^,]*,\)[^,]*,[^,]*/\1"<b ""q"">",z/' one/confused.csv
run 0 report one --out page.html
in_file page.html '<li><b>&lt;b &quot;q&quot;></b> taken for <b>z</b>: 2 of 3<div class=pictures><figure class="picture pair"><img alt="&lt;b &quot;q&quot;>, taken for z, confidence '
[ "$(grep -o '<figure class="picture pair">' page.html | wc -l)" = 1 ] || fail "images of other pairs"
# The command on the page trains it again, also where the model's file says otherwise than the call did, by a name for shells.
sed 's/recipe = {/recipe = {momentum = 0.9, weight_decay = 1e-3, flip = true, cutout = 4, mean = 0.5,/' tiny.lua >"it's.lua"
run 0 train "it's.lua" --lr 0.01 --momentum 0 --no-augment --schedule multi_step --milestones 1,2 --mean 0.1 --size 30 --seed 7 --no-shuffle --max-steps 1 --out told --backend reference
run 0 report told --out page.html
command=$(grep -o '<pre class=wide tabindex=0>skipper train [^<]*' page.html | sed 's/.*>skipper //; s/&amp;/\&/g')
in_file page.html "<p>it's is the model's file, which a run does not know the place of.</p>"
mv "it's.lua" "it's"
eval "\"\$skipper\" $command --out again --backend reference" >out 2>err || fail "the command on the page: $command: $(cat err)"
cmp <(sed -n '/"recipe"/,$p' told/config.json) <(sed -n '/"recipe"/,$p' again/config.json) || fail "the command on the page trains something else: $command"
cmp told/last.safetensors again/last.safetensors || fail "the command on the page trains other weights: $command"
# What others wrote there: no more images of a pair than are kept, a confidence that is none is not told, nor an image that is none shown.
mv kept.csv one/confusion.csv
first=$(sed -n 2p kept-2.csv) begin=$(sed -n 2p kept-2.csv | sed 's/,[^,]*$//')
{
  sed 1q kept-2.csv
  for image in nan 1e300 -1 '' 999999999999; do echo "$image,${first#*,}"; done
} >one/confused.csv
run 0 report one --out page.html
[ "$(grep -o '<figure class="picture pair">' page.html | wc -l)" = 0 ] || fail "images that are not there"
{
  sed 1q kept-2.csv
  for sure in nan 1e300 ''; do echo "$begin,$sure"; done
  for _ in 1 2 3 4; do echo "$first"; done
  printf ',,,,,,,,\n"never closed'
} >one/confused.csv
run 0 report one --out page.html
[ "$(grep -o '<figure class="picture pair">' page.html | wc -l)" = 3 ] || fail "not 3 images of a pair"
[ "$(grep -oE '<figure class="picture pair"><img alt="[0-9], taken for [0-9]" src="[^"]*"><figcaption><br>' page.html | wc -l)" = 3 ] || fail "confidences that are none"
{
  sed 1q kept-2.csv
  for _ in $(seq 100); do echo "$first"; done
} >one/confused.csv
run 0 report one --out page.html --figures sheet
[ "$(grep -o '<image' sheet/confused.svg | wc -l)" = 36 ] || fail "a figure of more images than are kept"
rm one/confused.csv
run 0 report one --out page.html
[ "$(pairs page.html | grep -cE '^<b>[0-9]</b> taken for <b>[0-9]</b>: [0-9]+ of [0-9]+</li>$')" = 12 ] || fail "an earlier version's run has no pairs"
mv kept-2.csv one/confused.csv

sed -i '1s/.*/image,name,class,guess,loss,certainty/; 2s/^\(\([^,]*,\)\{3\}\).*/\1,,/' one/worst.csv
run 0 report one --out page.html
[ "$(grep -oE "$told" page.html | wc -l)" = 23 ] || fail "an earlier version's columns are not understood"
[ "$(grep -o '</b>, prediction not finite' page.html | wc -l)" = 1 ] || fail "a prediction that is none"
run 0 compare one "t<w>o"
in_out '^lr +0.1 +0.05'
in_out '^best accuracy +[0-9.]+ \+- [0-9.]+ %  +[0-9.]+ \+- '
in_out '^epochs done +2 +2'
! grep -q '^momentum' out || fail "an entry that does not differ is shown"
run 0 compare one one
in_out 'The same network, recipe, seed and device'
refuse 1 'nowhere is no run' report nowhere
refuse 2 'compare wants RUN RUN' compare one
mkdir broken && echo '{' >broken/config.json
refuse 1 'broken/config.json is damaged' compare one broken
printf 'epoch,train_loss\n1,"a,""b"\n\n2' >one/results.csv
printf 'class,a\n' >one/confusion.csv
run 0 report one --out page.html

# Figures as files, and the time of each layer.
run 0 train "$models/resnet20.lua" --data shapes --max-steps 0 --out res --backend reference
run 0 report res --out page.html --figures figures
in_err 'figures: its figures'
in_file figures/network.svg 'xmlns="http://www.w3.org/2000/svg"' '>layer2.0<' '8×8×64 · 57728 parameters' 'conv2d 3×3 ×2, batchnorm ×3' 'The network: 12 blocks'
[ "$(grep -o 'M30 [0-9]*C' figures/network.svg | wc -l)" = 9 ] || fail "not a way past the layers of each of 9 blocks"
run 0 train tiny.lua --epochs 2 --out two --backend reference
run 0 report two --out page.html --figures two-figures --layers --backend reference
for name in accuracy loss loss-steps train-loss learning-rate images-a-second confusion confused worst network layers; do
  in_file two-figures/$name.svg '<svg ' '</svg>'
done
for sheet in confused:36 worst:24; do
  file=two-figures/${sheet%:*}.svg told='<text y="144">[0-9], taken for [0-9], confidence [0-9]* %</text><text y="160">#[0-9]*</text></svg>'
  [ "$(grep -c "href=\"data:image/png;base64,[^\"]*\"/>$told" $file)" = ${sheet#*:} ] || fail "not ${sheet#*:} images in $file"
done
in_file two/layers.csv 'fc,linear'
in_file page.html 'Time by layer'
rm two/layers.csv && mkdir -p two/layers.csv/there
refuse 6 '^skipper report: --layers: .*two/layers.csv' report two --out page.html --layers --backend reference
rm -r two/layers.csv
not_in_file page.html http-equiv # the run is over

# Why images are wrong: a picture more for each of the worst, made by the best weights of its run.
run 0 report two --out plain.html
run 0 report two --out page.html --why --backend reference
[ "$(grep -o '<figure class="picture why">' page.html | wc -l)" = 24 ] || fail "not 24 pictures"
[ "$(grep -o 'alt="on what the prediction rests: [0-9], taken for [0-9], confidence [0-9]* %" src="data:image/png;base64,' page.html | wc -l)" = 24 ] || fail "they are not explained"
in_file page.html 'red where covering it takes probability'
not_in_file plain.html 'on what the prediction rests'
first() { grep -o 'rests: [0-9][^"]*" src="data:image/png;base64,[^"]*' "$1" | head -1 | sed 's/.*,//' | base64 -d; }
worst=$(sed -n 2p two/worst.csv | cut -d, -f1)
run 0 report two --out again.html --why --backend reference
cmp <(first page.html) <(first again.html) || fail "another picture of image $worst"
[ "$(first page.html | head -c 4 | tail -c 3)" = PNG ] || fail "it is no PNG"
mkdir gone && mv two/*.safetensors gone
refuse 1 '^skipper report: --why: ' report two --out page.html --why --backend reference
mv gone/* two

# A run that goes on: the page is written after each epoch, and reloads itself until the end.
"$skipper" train tiny.lua --epochs 400 --max-time 8s --out going --backend reference >/dev/null 2>&1 &
while [ ! -s going/results.csv ]; do sleep 0.1; done
timeout "${SKP_RUN_SECONDS:-300}" "$skipper" report going --live --out live.html 2>live.err &
follower=$!
while [ ! -s live.html ]; do sleep 0.1; done
in_file live.html http-equiv=refresh
wait $follower || fail "report --live fails"
not_in_file live.html http-equiv
[ "$(grep -c 'it follows the run' live.err)" -gt 1 ] || fail "the page was not written again"
wait
