# test_environment.sh: variables that say options. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# Each option of each command has one, in help and in the manual, or is said to have none.
for command in train eval predict lr devices summary export report selftest bench; do
  run 0 $command --help
  sed '/^Environment:/,$d' out | grep -oE '^ +(-[a-z], )?--[a-z0-9-]+' | grep -oE -- '--.*' >options
  sed '1,/^Environment:/d' out | tr -s ' \n' ' ' >variables
  run 0 --man $command
  [ -s options ] || fail "$command has no options"
  while read -r option; do
    name=SKIPPER_$(tr a-z- A-Z_ <<<"${option#--}")
    case $command:$option in
      *:--help) ;;
      *:--resume | *:--set | *:--logits | *:--train | *:--peak | lr:--lr | lr:--schedule | report:--out)
        grep -q -e "$option has none: it " variables || fail "$command --help does not say why $option has no variable"
        ! grep -Eq " $name( |$)" variables || fail "$command --help lists $name" ;;
      *)
        grep -Eq " $name( |$)" variables || fail "$command --help lacks $name"
        grep -qF "fB$name\\fR" out || fail "$called lacks $name" ;;
    esac
  done <options
done
# Each name says one thing.
for page in '' train; do "$skipper" --man $page; done | grep -oE '^.fBSKIPPER_[A-Z0-9_]+' | sort >names
[ "$(wc -l <names)" -gt 80 ] || fail "the manual has $(wc -l <names) variables"
[ -z "$(uniq -d names)" ] || fail "of two meanings: $(uniq -d names)"

# The call goes before the environment, that before the model's recipe.
export SKIPPER_BACKEND=reference SKIPPER_MAX_STEPS=2
of() { grep -oE "\"$1\":[^,}]*" "$2/config.json" | head -1 | sed -E 's/.*:[[:space:]]*//; s/"//g'; }
is() { [ "$(of "$2" "$1")" = "$3" ] || fail "$called: $2 is $(of "$2" "$1"), not $3"; }
lines() { [ "$(grep -c '"step"' "$1/log.jsonl")" = "$2" ] || fail "$called: $(grep -c '"step"' "$1/log.jsonl") steps, not $2"; }
SKIPPER_LR=0.25 SKIPPER_MOMENTUM=0.5 SKIPPER_NESTEROV=1 SKIPPER_BATCH=32 SKIPPER_OUT=said SKIPPER_SEED=7 run 0 train tiny.lua --batch 16
is said lr 0.25
is said momentum 0.5
is said nesterov true
is said batch 16
is said seed 7
lines said 2
run 0 train tiny.lua --batch 16 --lr 0.25 --momentum 0.5 --nesterov --seed 7 --out typed
cmp said/last.safetensors typed/last.safetensors || fail "other weights by options than by variables"
SKIPPER_LR='' SKIPPER_NO_SHUFFLE=0 SKIPPER_MAX_STEPS=9 run 0 train tiny.lua --max-steps 1 --out empty
is empty lr 0.1
is empty shuffle true
lines empty 1
sed 's/lr = 0.1/lr = 0.1, momentum = 0.5, nesterov = true/' tiny.lua >nesterov.lua
SKIPPER_NESTEROV=0 SKIPPER_NO_SHUFFLE=1 run 0 train nesterov.lua --out off
is off nesterov false
is off shuffle false
SKIPPER_TENSORBOARD=1 run 0 train tiny.lua --out board
[ -d board/tensorboard ] || fail "$called: no tensorboard in the run's folder"
SKIPPER_TENSORBOARD=events run 0 train tiny.lua --out board2
[ -d events ] || fail "$called: no events"
SKIPPER_JSON=1 run 0 train tiny.lua --out lines
in_out '^\{"version":2,"out":"lines"'

# What cannot be used is refused, and the variable named; one that a command does not have is nothing to it.
SKIPPER_LR=fast refuse 2 'The environment says .*SKIPPER_LR=fast' train tiny.lua --out bad
SKIPPER_MAX_TIME=soon refuse 2 'SKIPPER_MAX_TIME=soon' train tiny.lua --out bad
SKIPPER_NESTEROV=yes refuse 2 'SKIPPER_NESTEROV is 1 or 0, not "yes"' train tiny.lua --out bad
SKIPPER_STRICT=2 refuse 2 'SKIPPER_STRICT is 1 or 0' train tiny.lua --out bad
SKIPPER_INIT=nowhere.safetensors refuse 1 'SKIPPER_INIT=nowhere' train tiny.lua --out bad
[ ! -e bad ] || fail "a refused call left a run"
SKIPPER_ONNX=nowhere/file SKIPPER_TOP=none SKIPPER_EPOCHS=none run 0 compare said typed
SKIPPER_EPOCHS=none SKIPPER_CURVE=nowhere/file run 0 eval said
SKIPPER_RESUME=said SKIPPER_SET=classes=3 SKIPPER_TRAIN=1 run 0 train tiny.lua --out other
lines other 2

# A run goes on as it began: what was said then may be said again, something else is refused; its place is what the call says.
export SKIPPER_MAX_STEPS=3 SKIPPER_MOMENTUM=0.5
SKIPPER_LR=0.5 refuse 2 'SKIPPER_LR=0.5' train --resume said
SKIPPER_LR=0.25 SKIPPER_OUT=typed SKIPPER_INIT=nowhere SKIPPER_SEEDS=2 run 0 train --resume said
lines said 3
lines typed 2
SKIPPER_OUT=typed run 0 train --resume
lines typed 3
cmp said/last.safetensors typed/last.safetensors || fail "other weights by options than by variables"
refuse 2 'not both' train --resume said --out typed

# What a call does not bear because of what it says is passed over where only the environment says it.
bmp 3 >picture.bmp
SKIPPER_DATA=digits run 0 predict said picture.bmp
SKIPPER_TOP=3 SKIPPER_JSON=1 SKIPPER_DATA=digits run 0 predict said --logits logits.safetensors
in_out 'logits of'
SKIPPER_LR=0.5 SKIPPER_SCHEDULE=cosine run 0 lr tiny.lua
SKIPPER_OUT=said run 0 report said
[ -f report.html ] || fail "$called: no page"
SKIPPER_SIZE=28 run 0 summary said
refuse 2 'go with model files' summary said --size 28
SKIPPER_MODE=none SKIPPER_STEPS=none SKIPPER_LAYERS=none SKIPPER_THREADS=none SKIPPER_TUNE=none refuse 1 'has no peaks' bench --peak
SKIPPER_LAYERS=none refuse 2 'SKIPPER_LAYERS is 1 or 0' bench tiny.lua
refuse 2 'leave out --lr' lr tiny.lua --lr 0.5
SKIPPER_STRICT=1 run 0 train tiny.lua --max-damaged 3 --out borne
SKIPPER_DEVICE=0 SKIPPER_PLATFORM=none run 0 train tiny.lua --backend reference --out plain
refuse 2 '--backend reference has none' train tiny.lua --device 0 --out plain
