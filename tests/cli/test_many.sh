# test_many.sh: SKP_MANY pictures (20 000) in folders, few files by many names: the processor's time until training has begun,
# and the memory; what is kept of them, and that this spares opening them. A million: SKP_MANY=1000000 ctest -R cli_test_many
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference SKIPPER_CACHE=$dir/cache
many=${SKP_MANY:-20000}

# Larger than what is kept in memory, decoded: 128 × 128 pixels.
picture() {
  printf BM
  for n in 49206 0 54 40 128 -128; do le32 $n; done
  printf '\1\0\30\0'
  for n in 0 0 0 0 0 0; do le32 $n; done
  head -c 49152 /dev/zero | tr '\0' @
}
# links FOLDER N: two classes of N / 2 names, 500 in a folder, of 50 files: some file systems give one no more than 65 000 names.
links() {
  mkdir -p seed "$1/a" "$1/b"
  picture >seed/0.bmp
  for i in $(seq 1 499); do
    if [ $i -lt 50 ]; then cp seed/0.bmp seed/$i.bmp; else ln seed/$((i % 50)).bmp seed/$i.bmp; fi
  done
  for ((i = 0; i < $2; i += 1000)); do cp -rl seed "$1/a/$i" && cp -rl seed "$1/b/$i" || exit 1; done
}
cat >spot.lua <<'END'
return {
  input = {channels = 1, size = 8},
  recipe = {batch = 4, epochs = 1, optimizer = "sgd", lr = 0.1, valid_split = 0},
  network = function(x) return nn.linear(nn.flatten(x), 2, {name = "fc"}) end,
}
END
# start FOLDER: one step of a training; `cost`: its processor's time in ms, `memory`: what it had at most, in KiB.
start() {
  local shell now
  memory=0
  called="skipper train spot.lua --data $1"
  (
    TIMEFORMAT='%U %S'
    time "$skipper" train spot.lua --data "$1" --max-steps 1 --workers 0 --out run 2>err </dev/null
  ) >out 2>taken &
  shell=$!
  while kill -0 $shell 2>/dev/null; do
    now=$(cat /proc/$(pgrep -P $shell)/status 2>/dev/null | sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p')
    [ "${now:-0}" -le $memory ] || memory=$now
    sleep 0.02
  done
  wait $shell || fail "$called: exit status $?"
  cost=$(awk '{ print int(1000 * ($1 + $2)) }' taken)
  echo "$1: $cost ms of the processor, $((memory >> 10)) MiB"
}
# What counts its lines (SKP_COVERAGE) is slow.
slow=$((${SKP_RUN_SECONDS:-300} / 300))
# at_most MICROSECONDS: a picture's share of the processor's time, beside 3 s for all the rest, and its share of the memory, 400
# bytes, beside 40 MiB.
at_most() {
  [ $cost -le $((slow * (3000 + $1 * many / 1000))) ] || fail "$called: $cost ms of the processor"
  [ $memory -le $((40 * 1024 + 400 * many / 1024)) ] || fail "$called: $memory KiB of memory"
  [ $memory -gt 1024 ] || fail "$called: its memory was not seen"
}

links many "$many"
start many
in_err "many: [0-9 ]+ images to train on, 2 classes"
at_most 50
index=$(find cache/pictures -name '*.index')
[ "$(wc -c <"$index")" = $((24 + 32 * many)) ] || fail "$index is $(wc -c <"$index") bytes"

# From then on the files are not opened: it is known of each what its time and size had been.
start many
at_most 30
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
  strace -f -e trace=open,openat -o opened "$skipper" train spot.lua --data many --max-steps 1 --workers 0 --out run >out 2>err </dev/null
  [ "$(grep -c '\.bmp' opened)" -lt 100 ] || fail "$(grep -c '\.bmp' opened) pictures are opened for one step"
  # A report of a run that nothing has judged yet does not look for them.
  strace -f -e trace=open,openat -o opened "$skipper" report run >out 2>err </dev/null
  ! grep '"many' opened || fail "a report without pictures opens the data"
fi
# One of another time is looked at again, and what is kept is new.
cp "$index" before
touch -d '2001-01-01' seed/*.bmp
start many
! cmp -s "$index" before || fail "other files, and what is kept of them is what it was"
