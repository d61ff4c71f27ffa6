# test_lines.sh: train for programs that listen: --json, --tensorboard. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

run 0 train tiny.lua --max-steps 3 --out run --json --tensorboard --backend reference
cp out lines
[ "$(wc -l <lines)" = 5 ] || fail "$(wc -l <lines) lines, not 5"
[ "$(grep -c '"version":2' lines)" = 5 ] || fail "a line without its version"
head -1 lines | grep -q '"out":"run".*"model":"tiny"' || fail "the first line does not say what the run is"
[ "$(grep -c '^{"step":[123],"loss":[0-9.]*,"lr":0.1,"version":2}$' lines)" = 3 ] || fail "no line for each step"
tail -1 lines | grep -q '"saved_in":"run"' || fail "the last line does not say where"
[ "$(ls run/tensorboard | grep -c '^events.out.tfevents')" = 1 ] || fail "no event file"
in_file run/tensorboard/* images/0_ train/loss hparams
run 0 train tiny.lua --max-steps 1 --out other --tensorboard board --backend reference
[ -n "$(ls board)" ] || fail "no event file in board"
in_out 'saved in other'
run 0 train --resume run --max-steps 5 --json --backend reference
grep -q '^{"step":4,' out || fail "the resumed run does not tell its steps"
run 0 eval run --data digits --json --backend reference
in_out '"version":2'
refuse 1 '/proc/nowhere' train tiny.lua --max-steps 1 --out bad --tensorboard /proc/nowhere --backend reference
