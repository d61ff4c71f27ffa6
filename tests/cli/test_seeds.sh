# test_seeds.sh: train --seeds, and what compare makes of several seeds. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

run 0 train tiny.lua --seeds 3 --seed 4 --out a --backend reference
in_out '^3 seeds in a: best accuracy median [0-9.]+ %, [0-9.]+ to [0-9.]+ %, mean [0-9.]+ \+- [0-9.]+ %$'
[ "$(grep -c '^epoch 1/1  loss ' err)" = 3 ] || fail "not every run tells of its epochs"
for seed in 4 5 6; do [ -s a/seed-$seed/best.safetensors ] || fail "no run with seed $seed"; done
run 0 train tiny.lua --seed 5 --out alone --backend reference
cmp alone/last.safetensors a/seed-5/last.safetensors || fail "the run with seed 5 is another than one alone"
run 0 train tiny.lua --seeds 2 --lr 0.001 --out b --backend reference --json
[ "$(grep -c '"stopped"' out)" = 0 ] || fail "a run was stopped"
tail -12 out | tr -d '\n\t' | grep -Eq '"saved_in":"?.*"seeds": ?2.*"median_accuracy": ?0\.[0-9]+.*"half_interval"' || fail "no summary for programs"
run 0 train tiny.lua --seeds 2 --max-steps 1 --backend reference
in_out '^2 seeds in runs/tiny-1: '
[ "$(ls runs runs/tiny-1 | tr '\n' ' ')" = 'runs: tiny-1  runs/tiny-1: seed-1 seed-2 ' ] || fail "seeds without --out are not together"
run 0 compare a b
in_out '^lr +0.1 +0.001'
in_out '^best accuracy +[0-9.]+ \+- [0-9.]+ %  +[0-9.]+ \+- '
in_out '^median over seeds +[0-9.]+ \([0-9.]+ to [0-9.]+\) %'
in_out '^b is [0-9.]+ \+- [0-9.]+ % worse than a: more than seeds explain'
run 0 compare a/seed-4 a/seed-5 a/seed-6
in_out '^Over these 3 seeds: median '
median=$(sed -n 's/^Over these 3 seeds: median \([0-9.]*\) .*/\1/p' out)
sorted=$(for seed in 4 5 6; do awk -F, 'NR == 2 {printf "%.2f\n", 100 * $4}' a/seed-$seed/results.csv; done | sort -n | sed -n 2p)
[ "$median" = "$sorted" ] || fail "the median is $median, not $sorted"
run 0 compare a a/seed-4
run 0 report a b/seed-1 --out page.html
in_file page.html '<h1>Skipper: 4 runs</h1>'
# Runs of another make are no measurements of the same: they are set aside, whatever their seeds, and none is lost.
run 0 train tiny.lua --seeds 3 --max-steps 1 --out mixed --backend reference
run 0 train tiny.lua --seeds 2 --max-steps 1 --lr 0.001 --out mixed --backend reference
in_err '^The earlier run in mixed/seed-1 now lies in mixed/seed-1/earlier-1\.$'
for seed in 2 3; do in_err "^The run in mixed/seed-$seed differs from this one in more than its seed: it now lies in mixed/seed-$seed/earlier-1\.$"; done
[ "$(echo mixed/*/config.json)" = 'mixed/seed-1/config.json mixed/seed-2/config.json' ] || fail "not the two runs: $(echo mixed/*/config.json)"
for seed in 1 2 3; do in_file mixed/seed-$seed/earlier-1/config.json '"lr":	0.1'; done
(exec 9<mixed/seed-2 && flock 9 && run 1 train tiny.lua --seeds 1 --max-steps 1 --out mixed --backend reference && in_err 'The run in mixed/seed-2 is going on') || exit 1
in_file mixed/seed-1/config.json '"lr":	0.001'
[ ! -e mixed/seed-1/earlier-2 ] || fail "a run that could not begin left the earlier one aside"
mkdir other && sed 's/"fc"/"head"/' tiny.lua >other/tiny.lua
run 0 train other/tiny.lua --seeds 1 --seed 2 --max-steps 1 --lr 0.001 --out mixed --backend reference
in_err '^The run in mixed/seed-1 differs from this one'
refuse 2 'mixed holds runs of several seeds, which a single one would hide.* as mixed/seed-2\.' train tiny.lua --out mixed --backend reference
refuse 2 'alone holds a single run, which would hide' train tiny.lua --seeds 2 --out alone --backend reference
[ ! -e mixed/config.json ] && [ ! -e alone/seed-1 ] || fail "a refused run left something"
mkdir hand && cp -r a/seed-5 hand/seed-1 && cp -r b/seed-1 hand/seed-2
run 0 compare hand b/
in_out '^lr +differs +0\.001 *$'
# Which images accuracies are of, and whether they are of the same.
in_out '^judged by +10000 test images +10000 test images *$'
grep -q 'Not all are judged' out && fail "they are judged by the same images"
run 0 train tiny.lua --valid-split 0.1 --max-steps 1 --out split --backend reference
run 0 compare alone split
in_out '^judged by +10000 test images +6000 validation images *$'
in_out '^Not all are judged by the same images'
# The largest seeds are like others: as numbers on the command line, in names of folders, in what runs say of themselves, in their order.
run 0 train tiny.lua --seeds 2 --seed 18446744073709551614 --max-steps 1 --out vast --backend reference
run 0 train --resume vast/seed-18446744073709551615 --max-steps 2 --backend reference
run 0 compare vast/seed-18446744073709551614 vast/seed-18446744073709551615
in_out '^seed +18446744073709551614 +18446744073709551615 *$'
run 0 compare vast b
in_out '^median over seeds '
refuse 2 'a whole number from 0 to 18446744073709551615, not "18446744073709551616"' train tiny.lua --seed 18446744073709551616
refuse 2 'a whole number from 0 to 18446744073709551614, not' train tiny.lua --seeds 2 --seed 18446744073709551615
refuse 2 'a whole number from 0 to 18446744073709551615, not "-1"' train tiny.lua --seed -1
# The spread is of the seeds just trained, whatever else is there; of one there is none, and of what nothing judges.
run 0 train tiny.lua --seeds 2 --out a --backend reference
in_out '^2 seeds in a: '
run 0 train tiny.lua --seeds 1 --out one --backend reference
in_out '^1 seed in one: best accuracy [0-9.]+ %$'
sed -i 's/"images"/"pictures"/' one/seed-1/config.json
run 0 compare one one
in_out '^best accuracy +[0-9.]+ %  +[0-9.]+ %'
idx plain train 6 28 0 1 2 3 4 5
run 0 train tiny.lua --data plain --valid-split 0 --seeds 2 --out unjudged --backend reference
in_out '^2 seeds in unjudged: nothing judged them$'
run 0 train tiny.lua --data plain --valid-split 0 --seeds 2 --out unjudged --backend reference --json
tail -5 out | tr -d '\n\t' | grep -Eq '"seeds": ?2\}?[^_]*$' || fail "programs hear of figures that are not there"
# What the runs would write over.
refuse 2 '--trace-steps N in place of --trace t.json' train tiny.lua --seeds 2 --trace t.json
refuse 2 '--tensorboard without board' train tiny.lua --seeds 2 --tensorboard board
# A folder of seeds is timed and followed as its runs are; one that has not begun is left out.
mkdir a/seed-99
run 0 report a --layers --out page.html --backend reference
for seed in 1 6; do [ -s a/seed-$seed/layers.csv ] || fail "the layers of seed $seed are not timed"; done
"$skipper" train tiny.lua --epochs 100000 --seeds 1 --seed 7 --out a --backend reference >/dev/null 2>&1 &
trainer=$!
while [ ! -s a/seed-7/results.csv ]; do sleep 0.1; done
: >live.err # the follower may not have opened it when it is first read
timeout "${SKP_RUN_SECONDS:-300}" "$skipper" report a --live --out live.html 2>live.err &
follower=$!
while [ "$(grep -c 'it follows the run' live.err)" -lt 2 ] && kill -0 $follower; do sleep 0.1; done
kill -INT $trainer
wait $follower || fail "report --live of seeds fails"
[ "$(grep -c 'it follows the run' live.err)" -gt 1 ] || fail "the page about seeds was not written again"
wait
refuse 2 'begins new runs' train --resume a --seeds 2
refuse 2 'whole number from 1' train tiny.lua --seeds 0
mkdir -p nothing/seed-1
refuse 1 'nothing is no run' compare a nothing
