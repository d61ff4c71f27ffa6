# test_shell.sh: manual pages and completions. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

# Each command has a page with each of its options; groff, where there is one, has nothing against it.
for command in '' train eval predict lr devices summary export report compare selftest bench; do
  run 0 --man $command
  cp out page.1
  grep -q '^\.SH NAME' page.1 || fail "$called: no NAME"
  if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww -z page.1 2>complaints || fail "$called: groff fails"
    [ ! -s complaints ] || fail "$called: $(head -1 complaints)"
  fi
  [ -n "$command" ] || continue
  "$skipper" $command --help >help
  [ "$(wc -L <help)" -le 80 ] || fail "$command --help is $(wc -L <help) columns wide"
  grep -oE -- '--[a-z0-9-]+' help | sort -u >options
  sed 's/\\-/-/g' page.1 >plain
  while read -r option; do grep -q -- "$option" plain || fail "$called lacks $option"; done <options
done
[ "$("$skipper" --help | wc -L)" -le 80 ] || fail "--help is wider than 80 columns"
run 0 --man train
in_out '\\fB\\-\\-weight\\-decay\\fR \\fIX\\fR'

# What may come next.
offers() { local want=$1; shift; run 0 --complete "$@"; in_out "$want"; }
offers '^train	Trains' ''
offers '^--batch	' train resnet18 --
offers '^resnet18	' train ''
offers '^:files' train ''
offers '^digits' train resnet18 --data ''
offers '^zsh' --completion ''
offers '^cpu	' train resnet18 --device ''
mkdir -p runs/one runs/two runs/half runs/sweep/seed-1 elsewhere/three
touch runs/{one,two,sweep/seed-1}/{config.json,last.safetensors,state.safetensors} elsewhere/three/{config.json,last.safetensors} runs/half/config.json
offers '^runs/two	run' eval runs/
# Runs, by what their folder has, wherever the word leads to.
for words in 'eval' 'predict' 'export' 'compare runs/one' 'report' 'report runs/one' 'train --resume' 'train tiny.lua --init' 'bench'; do
  for word in '' ru runs/ runs/tw; do offers '^runs/two	run$' $words "$word"; done
  offers '^runs/sweep/seed-1	run$' $words runs/sweep/
  ! grep -q '^runs/sweep	' out || fail "$called: a folder of runs is offered as one"
  run 0 --complete $words runs/
  case $words in # of what a command cannot take nothing is offered
    compare* | report*) in_out '^runs/half	run$' ;;
    *) ! grep -q half out || fail "$called: a run without weights is offered" ;;
  esac
done
offers '^elsewhere/three	run$' eval elsewhere/th
run 0 --complete train --resume elsewhere/
[ "$(cat out)" = :folders ] || fail "$called: not folders alone"
offers '^--seed	' train --resume --
offers '^--no-augment' train --no-shuffle '-'
offers '^:files' train resnet18 --data ''
offers '^:folders' train resnet18 --out ''
offers '^mnist' eval runs/one --std ''
for option in optimizer schedule precision; do # what is offered is what is known, and what help and the manual say
  "$skipper" train tiny.lua --$option nonsense 2>&1 | sed -n 's/.*There are \(.*\)\./\1/p' | tr -d , | tr ' ' '\n' | sort >known
  run 0 --complete train tiny.lua --$option ''
  sort out | cmp -s - known || fail "--$option offers $(tr '\n' ' ' <out), not $(tr '\n' ' ' <known)"
  words=$(sed '$!s/$/,/' out | tr '\n' ' ' | sed -E 's/, ([a-z_]+) $/ or \1/')
  "$skipper" train --help | tr -s ' \n' ' ' | grep -q "($words)" || fail "--help does not say of --$option: $words"
  "$skipper" --man train | grep -q "($words)" || fail "the manual does not say of --$option: $words"
done
refuse 2 'bash, zsh and fish, not "tcsh"' --completion tcsh

# bash, as it calls the function.
run 0 --completion bash
cp out completion.bash
complete_bash() {
  PATH=$(dirname "$skipper"):$PATH bash --norc -c 'source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    compopt() { :; }; _skipper; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
[ "$(complete_bash skipper tra)" = train ] || fail "bash: tra is not completed to train"
complete_bash skipper train resnet18 --weight | grep -qx -- --weight-decay || fail "bash: --weight"
complete_bash skipper eval runs/t | grep -qx runs/two || fail "bash: runs"
for words in 'train --resume' 'eval' 'report runs/one'; do
  [ "$(complete_bash skipper $words runs/o | sort -u)" = runs/one ] || fail "bash: $words runs/o"
  complete_bash skipper $words runs/sweep/ | grep -qx runs/sweep/seed-1 || fail "bash: $words runs/sweep/"
done
complete_bash skipper train ti | grep -qx tiny.lua || fail "bash: files"
mkdir 'my runs' && touch 'my list.csv' '[a] net.lua'
complete_bash skipper train tiny.lua --data my | sort | cmp - <(printf '%s\n' 'my list.csv' 'my runs') || fail "bash: files and folders with spaces, for --data"
complete_bash skipper train tiny.lua --out my | grep -qx 'my runs' || fail "bash: a folder with a space"
complete_bash skipper train '[' | grep -qxF '[a] net.lua' || fail "bash: a file with brackets"

