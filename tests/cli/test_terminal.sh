# test_terminal.sh: the line of progress on a terminal: what is being done, never wider than the terminal; nothing of it elsewhere.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
command -v script >/dev/null || { echo "script is not installed"; exit 77; }
export TERM=xterm
run 0 train tiny.lua --max-steps 5 --out run

# drawn COLUMNS WORD…: what a call draws on a terminal of that width, a line each time.
drawn() {
  local columns=$1
  shift
  called="skipper $*, $columns columns"
  script -qec "stty cols $columns rows 24; $skipper $*" /dev/null </dev/null >raw 2>&1 || { mv raw out; fail "$called: status $?"; }
  tr '\r' '\n' <raw | sed 's/\x1b\[[0-9]*[A-Z]//g' | grep . >lines
}
# The widest of the lines that match a pattern.
widest() { grep -E "$1" lines | wc -L; }

for columns in 200 80 40 20; do
  rm -rf run2
  drawn $columns train tiny.lua --epochs 2 --out run2
  grep -Eq '^epoch 2/2' lines || fail "$called: no epoch"
  [ "$(widest '^(epoch|preparing|compiling|looking|beginning)')" -lt $columns ] || { mv lines out; fail "$called: wider than the terminal"; }
done
# What is going to happen is said in rows that fit; elsewhere in a line each, for those who search in it.
long="train tiny.lua --max-steps 1 --mean 0.1307 --std 0.3081 --momentum 0.9 --nesterov --schedule cosine --warmup 0.3 --weight-decay 0.01 --clip-norm 1 --out run2"
drawn 80 $long
[ "$(widest .)" -le 80 ] || { mv lines out; fail "$called: wider than the terminal"; }
grep -Eq '^         .*seed 1$' lines || { mv lines out; fail "$called: the recipe does not go on"; }
run 0 $long
in_err '^recipe .*, seed 1$'
drawn 200 train tiny.lua --epochs 1 --out run2
grep -Eq '^epoch 1/1  loss [0-9.]+  test accuracy [0-9.]+ %  test loss [0-9.]+  [0-9 ]+ images/s  [0-9:]+  data wait [0-9.]+ %' lines ||
  { mv lines out; fail "$called: something is missing"; }
drawn 80 lr tiny.lua --curve lr.csv
grep -q '^trying learning rates .* of 300' lines || fail "$called: no progress"
drawn 80 eval run/last.safetensors --data digits
grep -q '^looking at images .* of 10 000' lines || fail "$called: no progress"

# Elsewhere: lines, without control characters.
rm -rf run2
for call in "train tiny.lua --epochs 1 --out run2" "lr tiny.lua --curve lr.csv" "eval run/last.safetensors --data digits"; do
  # shellcheck disable=SC2086
  run 0 $call
  grep -q $'[\r\x1b]' out err && fail "skipper $call: control characters in a pipe"
  grep -Eq 'looking at|trying learning' err && fail "skipper $call: progress in a pipe"
done
# Kernels are compiled where there are some: a first step that takes long for another reason is no such thing.
cat >slow.lua <<'LUA'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x)
    for _ = 1, 3 do x = nn.conv2d(x, 48, {kernel = 3, padding = 1}) end
    return nn.linear(nn.global_avgpool(x), 10)
  end,
}
LUA
run 0 train slow.lua --max-steps 1 --backend reference --out slow
not_in_err '^kernels'
# In a pipe a compilation that lasts is no silence: a line says what goes on, once.
run 0 train "$models/resnet20.lua" --backend reference --max-steps 0 --out deep
bmp 3 >one.bmp
export POCL_CACHE_DIR=$dir/pocl SKIPPER_CACHE=$dir/kernels
mkdir pocl
SECONDS=0
run 0 predict deep one.bmp
[ "$(grep -c '^kernels  are being compiled for this device, [0-9]* of [0-9]* so far; later runs find them$' err)" = 1 ] || [ $SECONDS -lt 5 ] ||
  fail "$called: $SECONDS s without a word"
run 0 predict deep one.bmp
not_in_err '^kernels'
unset POCL_CACHE_DIR SKIPPER_CACHE
TERM=dumb drawn 80 eval run/last.safetensors --data digits
grep -q 'looking at' lines && fail "progress on a dumb terminal"
echo ok
