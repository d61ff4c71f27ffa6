# test_io.sh: the Nth call of a training run that changes files ends the process (before or amid its work), fails, or writes less
# than it was told to. The run ends with an error or with the right result; no file is ever half or changed, that of an earlier
# run neither; and --resume ends with the bytes of an undisturbed run. FAULT_STRIDE=1: each N; FAULT_ROUNDS: runs that are killed
# again and again until they are through. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
layer=$SKP_LAYERS/liblayer_io.so
stride=${FAULT_STRIDE:-23} rounds=${FAULT_ROUNDS:-20}
RANDOM=${FAULT_SEED:-5}
idx set train 96 28 $(seq 0 95 | sed 's/.*\(.\)/\1/')
idx set t10k 10 28 0 1 2 3 4 5 6 7 8 9
export SKIPPER_BACKEND=reference
options="--data set --batch 16 --epochs 2 --optimizer adam --lr 0.01 --save-every 3steps"

# under MODE N WORD…: a call whose Nth change of a file is hit; its status is in `got`.
under() {
  local mode=$1 n=$2
  shift 2
  got=0
  called="FAULT_MODE=$mode FAULT_AT=$n skipper $*"
  local sticky=()
  [ "$mode" = "${mode%-on}" ] || sticky=(FAULT_STICKY=1)
  (timeout "${SKP_RUN_SECONDS:-300}" env LD_PRELOAD="$layer" FAULT_UNDER="$PWD/run" FAULT_MODE="${mode%-on}" FAULT_AT="$n" FAULT_COUNT="$dir/calls" \
    "${sticky[@]}" "$skipper" "$@" >out 2>err </dev/null; exit $?) 2>/dev/null || got=$?
  called="$called (status $got)"
}

# What the undisturbed run has written: all of its checkpoints, and the ends of its logs.
run 0 train tiny.lua $options --keep 100 --out whole
run 0 train tiny.lua $options --seed 2 --out earlier
sums() { (cd "$1" && sha256sum -- *) | sed 's/ .*//' | sort; }
sha256sum whole/*.safetensors earlier/* | sed 's/ .*//' >known
untimed() {
  sed 's/"img_per_s".*//' "$1/log.jsonl"
  cut -d, -f1-6 "$1/results.csv"
}
untimed whole >whole.log
all="best step-00000009 step-00000012" others=$all

# Each file of weights is whole, and one of those that either run writes; what the earlier run left is still there, byte for byte.
sound() {
  local file sum
  for file in run/*.safetensors run/earlier-*/*.safetensors; do
    [ ! -e "$file" ] || case $file in */state.safetensors) ;; *)
      sum=$(sha256sum <"$file")
      grep -q "^${sum%% *}" known || fail "$called: $file is none that a run writes"
      ;;
    esac
  done
  [ -z "$(sums earlier | comm -23 - <(find run -type f -exec sha256sum {} + | sed 's/ .*//' | sort -u))" ] ||
    fail "$called: a file of the earlier run is lost: $(ls -R run)"
}
right() {
  local file
  for file in last $others; do
    cmp "whole/$file.safetensors" "run/$file.safetensors" || fail "$called: run/$file.safetensors differs"
  done
  untimed run | cmp - whole.log || fail "$called: the logs differ"
}
begin() {
  rm -rf run
  cp -r earlier run
}
# on MODE N: the run from where it stands, or from the start; under the layer unless N is 0.
on() {
  if cmp -s run/state.safetensors earlier/state.safetensors || [ ! -e run/state.safetensors ]; then
    under "$1" "$2" train tiny.lua $options --keep 2 --out run
  else
    under "$1" "$2" train --resume run
  fi
}

begin
on none 0
[ "$got" = 0 ] || fail "$called"
right
sound
calls=$(cat calls)
echo "$calls calls change files"
for mode in kill half short eio eio-on enospc enospc-on; do
  for ((n = 1 + RANDOM % stride; n <= calls; n += stride)); do
    begin
    on $mode $n
    case $mode:$got in
    kill:137 | half:137) ;;
    short:0) ;;
    [eh]*:0) right ;; # what may fail: emptying, flushing of folders
    e*:6) [ -s err ] || fail "$called: nothing is said" ;;
    *) fail "$called" ;;
    esac
    [ $got != 6 ] || [ -z "$(tail -qc 1 run/log.jsonl run/results.csv 2>/dev/null | tr -d '\n')" ] || fail "$called: half a line in a log"
    sound
    first=$called ended=$got others=$all
    # Weights that did not reach a full disk are none: later ones may be the best that there are.
    [ "${mode%-on}:$got" != enospc:6 ] || others=best
    on none 0
    called="$first, then $called"
    [ $got = 0 ] || fail "$called"
    right
    sound
    # Where a file could not even be removed the next run sweeps, and what was finished had no next one.
    [ $ended = 0 ] || [ -z "$(find run -name '*.tmp')" ] || fail "$called: left behind: $(find run -name '*.tmp')"
  done
  echo "$mode: done"
done

# Killed again and again, before or amid a call, until it is through.
kills=0 others=$all
for ((round = 0; round < rounds; round++)); do
  begin
  got=1
  while [ $got != 0 ]; do
    mode=kill
    [ $((RANDOM % 2)) = 0 ] || mode=half
    on $mode $((1 + RANDOM % (calls / 2)))
    [ $got = 0 ] || [ $got = 137 ] || fail "$called"
    [ $got = 0 ] || kills=$((kills + 1))
    sound
  done
  on none 0 # what is finished stays as it is
  right
  sound
done
echo "$rounds runs, killed $kills times: the same bytes"
