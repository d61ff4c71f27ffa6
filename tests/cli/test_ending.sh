# test_ending.sh: what a run says at its end, and what one leaves that never began. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

# Class k is that of white pixel k, the network knows it; two of three pictures of fig lie among those of pear.
pixel_net 'data = "my set", batch = 4, epochs = 3, lr = 1e-6, valid_split = 0'
k=0
for class in apple fig pear; do
  mkdir -p "my set/train/$class" "my set/test/$class"
  for i in 1 2 3; do bmp $k >"my set/train/$class/$i.bmp"; done
  for i in 1 2 3; do bmp $((k == 1 && i > 1 ? 2 : k)) >"my set/test/$class/$i.bmp"; done
  k=$((k + 1))
done

# A whole run: the best epoch with its figure and file, a short report, what was confused most, and what to type next.
run 0 train pixel.lua --out run
in_out '^test accuracy 77.78 % after the last epoch$'
in_out '^fig +3 +1.0000 +0.3333 +0.5000  pear 2$'
in_out '^most confused: fig taken for pear, 2 of 3$'
in_out '^best epoch 1, test accuracy 77.78 %: run/best.safetensors$'
in_out '^next:  skipper predict run/best.safetensors PICTURE$'
in_out "^       skipper eval run/best.safetensors --data 'my set'\$"
eval "$(sed -n "s/^ *skipper \(eval .*\)/run 0 \1/p" out)" # it works as it stands
in_out '^accuracy 77.78 %'

run 0 train pixel.lua --epochs 1 --out "it's here/"
in_out "^next:  skipper predict 'it'.''s here/best.safetensors' PICTURE\$"

# Of mistakes as frequent the one that hurts a smaller class more; an image told right is not "taken for" its class.
cp -r "my set" uneven
rm "uneven/test/fig/1.bmp"
bmp 0 >uneven/test/apple/4.bmp
bmp 2 >uneven/test/apple/5.bmp
bmp 2 >uneven/test/apple/6.bmp
run 0 train pixel.lua --data uneven --out small
in_out '^most confused: fig taken for pear, 2 of 2$'
rm -r uneven/test/*/[2-6].bmp
run 0 eval small --data uneven
in_out '^ +0\.[0-9]+  apple/1.bmp: apple, told right with [0-9.]+ %$'

# The same of a run that went on and became no better.
run 0 train --resume run --epochs 4
in_out '^best epoch 1, '
in_out '^most confused: fig taken for pear, 2 of 3$'

# Where nothing judges, the training loss does; nothing is said of confusion.
mv "my set/test" tests
run 0 train pixel.lua --out alone
in_out '^best epoch [123], training loss 0\.0[0-9]+: alone/best.safetensors$'
grep -q confused out && fail "confused without a judge"
mv tests "my set/test"

# A run that ends inside an epoch says its loss so far; weights alone have no best.
run 0 train pixel.lua --max-steps 2 --out part
in_out '^epoch 1 ended after 2 of 3 steps, mean loss 0\.0[0-9]+$'
mean=$(grep -o '"loss":[0-9.e-]*' part/log.jsonl | cut -d: -f2 | awk '{sum += $1} END {printf "%.4f", sum / NR}')
in_out "mean loss $mean\$"
in_out '^next:  skipper predict part/last.safetensors PICTURE$'
run 0 train --resume part --max-steps 4
in_out '^epoch 2 ended after 1 of 3 steps, mean loss 0\.0[0-9]+$'
in_out '^best epoch 1, test accuracy 77.78 %: part/best.safetensors$'
run 0 train pixel.lua --epochs 1000000 --max-time 1s --save-every 1h --out late
in_out '^best epoch [0-9]+, '
in_out '^The time is up: saved after step [0-9]+; skipper train --resume late goes on'
"$skipper" train pixel.lua --epochs 0 --max-steps 100000000 --save-every 1steps --out stopped >out 2>err </dev/null &
pid=$! called="skipper train"
await stopped/state.safetensors
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "status after SIGINT"
in_out '^Stopped after step [0-9]+; skipper train --resume stopped goes on'
run 0 train pixel.lua --max-steps 0 --out first
grep -q 'ended after\|best epoch\|confused' out && fail "weights without a step have a past"
in_out 'skipper predict first/last.safetensors'

# Outputs that are no class, as a network may have more of them, are in no report.
run 0 train pixel.lua --set classes=7 --out spare
[ "$(head -1 spare/confusion.csv)" = class,apple,fig,pear ] || fail "confusion.csv: $(cat spare/confusion.csv)"
[ "$(wc -l <spare/classes.csv)" = 4 ] || fail "classes.csv: $(cat spare/classes.csv)"
run 0 eval spare --data "my set" --json
[ "$(grep -o '"recall":' out | wc -l)" = 3 ] || fail "classes that are none"

# A start that fails leaves no folder, and no number is used up, whatever it is that fails.
mkdir empty && cd empty || exit 1
set_up="../pixel.lua --data"
refuse 1 nowhere train $set_up nowhere
refuse 1 'Cannot open ../nowhere' train ../pixel.lua --data "../my set" --init ../nowhere.safetensors
not_in_err '^model ' # before the data are looked at
refuse 2 'There is no optimizer' train ../pixel.lua --data "../my set" --optimizer none
refuse 2 'There is no backend' train ../pixel.lua --data "../my set" --backend nothing
run 1 train ../pixel.lua --data "../my set" --init ../nowhere.safetensors --out a/b/c
for class in apple fig pear; do mkdir -p full/train/$class && for i in 1 2 3; do head -c 54 "../my set/train/apple/1.bmp" >full/train/$class/$i.bmp; head -c 48 /dev/zero | tr '\0' '\377' >>full/train/$class/$i.bmp; done; done
sed 's/pixel == k and 9 or 0/3e38/; s/lr = 1e-6/lr = 1/' ../pixel.lua >infinite.lua # all pictures are white
run 1 train infinite.lua --data full --tensorboard
in_err 'The loss became .* at step 1 .*There are no weights from before'
mkdir mine && run 1 train infinite.lua --data full --out mine --tensorboard board/of/mine
[ -d mine ] && [ -z "$(ls -A mine)" ] || fail "a folder that was there before: $(ls -A mine)"
[ "$(ls -A)" = "$(printf '%s\n' err full infinite.lua mine out)" ] || fail "left behind: $(ls -A)"
refuse 2 '--out wants the name of a folder' train ../pixel.lua --data "../my set" --out=
mkdir runs && run 1 train infinite.lua --data full
[ -d runs ] && [ -z "$(ls -A runs)" ] || fail "the folder of the runs, which was there before"
run 0 train ../pixel.lua --data "../my set" --epochs 1
[ "$(ls runs)" = pixel-1 ] || fail "runs: $(ls runs)"

# An earlier run in the folder is where it was.
cp -r runs/pixel-1 before
run 1 train infinite.lua --data full --out runs/pixel-1
in_err 'It lies in runs/pixel-1 again'
diff -r before runs/pixel-1 || fail "the earlier run was touched"

# Starts at the same moment get numbers of their own, without gaps.
for i in 1 2 3 4 5 6; do
  "$skipper" train ../pixel.lua --data "../my set" --epochs 1 >"out$i" 2>&1 </dev/null &
done
for i in 1 2 3; do "$skipper" train infinite.lua --data full >/dev/null 2>&1 </dev/null & done
wait
[ "$(cat out? | grep -c '^saved in runs/pixel-[0-9]*$')" = 6 ] && [ "$(ls runs | wc -l)" = 7 ] || fail "runs: $(ls runs) $(cat out?)"
echo ok
