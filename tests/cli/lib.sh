# lib.sh: what the tests of the command line share. Each test_NAME.sh gets the program as its first argument.
# SPDX-License-Identifier: MIT
set -u
skipper=$1
models=$SKP_SOURCE_DIR/models
# Who tests may have said options by variables; only where and how kernels run is for a test to be told.
for name in ${!SKIPPER_@}; do
  case ${name#SKIPPER_} in
    BACKEND | PLATFORM | DEVICE | THREADS | MEMORY | METHOD | CACHE | NO_CACHE | TIMEOUT | SYNC | TRUST | PROBE_TIMEOUT) ;;
    *) unset "$name" ;;
  esac
done
# Without a folder of its own a test would end what works where it was called, and remove that.
dir=$(mktemp -d) && dir=$(cd "$dir" && pwd -P) || exit 1
# works_in FOLDER: the processes that do.
works_in() { find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null | cut -d/ -f3; }
# All that works in a test's folder ends with the test, and what is mounted there is no more.
leave() {
  cd /
  local at left=$(works_in "$dir")
  [ -z "$left" ] || kill -9 $left 2>/dev/null
  while read -r _ at _; do case $at in "$dir"/*) umount "$at" ;; esac; done </proc/mounts
  rm -rf "$dir"
}
trap leave EXIT
# Where ctest kills this shell, which it cannot hear of, another one sees it.
(tail --pid=$$ -s 0.5 -f /dev/null; leave) >/dev/null 2>&1 </dev/null &
disown
cd "$dir" || exit 1

fail() {
  echo "FAILED: $*"
  [ -f out ] && sed 's/^/  out: /' out | tail -20
  [ -f err ] && sed 's/^/  err: /' err | tail -20
  exit 1
}

# run STATUS WORD…: calls the program, keeps what it says in out and err, and demands an exit status; 1: any failure but wrong usage.
# A program that counts its lines (SKP_COVERAGE) is given more time.
run() {
  local want=$1 got=0
  shift
  called="skipper $*"
  timeout "${SKP_RUN_SECONDS:-300}" "$skipper" "$@" >out 2>err </dev/null || got=$?
  case $want:$got in 1:[13456]) got=1 ;; esac
  [ "$got" = "$want" ] || fail "$called: exit status $got, not $want"
}

# await PATH: until that is there; the run in the background, `pid`, must not end before. How long that may take is the test's limit.
await() {
  until [ -e "$1" ]; do
    kill -0 "$pid" 2>/dev/null || fail "the run ended by itself"
    sleep 0.05
  done
}

# in_out PATTERN, in_err PATTERN, not_in_err PATTERN: what the last call said, or did not (extended regular expressions).
in_out() { grep -Eq -- "$1" out || fail "$called: standard output lacks \"$1\""; }
in_err() { grep -Eq -- "$1" err || fail "$called: standard error lacks \"$1\""; }
not_in_err() { ! grep -Eq -- "$1" err || fail "$called: standard error has \"$1\""; }
quiet_out() { [ ! -s out ] || fail "$called: standard output is not empty"; }

# in_file FILE TEXT…, not_in_file FILE TEXT…: what a file holds, each of these texts or none of them, letter by letter.
in_file() {
  local file=$1 text
  for text in "${@:2}"; do grep -Faq -- "$text" "$file" || fail "$file lacks \"$text\""; done
}
not_in_file() {
  local file=$1 text
  [ -f "$file" ] || fail "there is no $file"
  for text in "${@:2}"; do ! grep -Faq -- "$text" "$file" || fail "$file has \"$text\""; done
}

# untimed FOLDER: its logs without what depends on the time.
untimed() {
  sed 's/"img_per_s".*//' "$1/log.jsonl"
  cut -d, -f1-6 "$1/results.csv"
}
# same FOLDER FOLDER: two runs' weights, bit for bit, and what their logs say.
same() {
  for file in last best; do cmp "$1/$file.safetensors" "$2/$file.safetensors" || fail "$2/$file.safetensors differs"; done
  diff <(untimed "$1") <(untimed "$2") >out || fail "the logs of $2 differ"
}

# refuse STATUS PATTERN WORD…: a call that must fail with this text, and say nothing else on standard output.
refuse() {
  local status=$1 pattern=$2
  shift 2
  run "$status" "$@"
  in_err "$pattern"
  quiet_out
}

# A network that takes no time.
cat >tiny.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(x), 10, {name = "fc"}) end,
}
END
# Writes square.lua: a network whose numbers grow beyond all bounds where the learning rate is large.
square_net() {
  cat >square.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x)
    x = nn.linear(nn.flatten(x), 16, {name = "fc1"})
    return nn.linear(nn.mul(x, x), 10, {name = "fc"})
  end,
}
END
}
# Writes IDX files: idx FOLDER SPLIT IMAGES SIDE LABEL…, all pixels 7.
idx() {
  local folder=$1 split=$2 n=$3 side=$4
  shift 4
  mkdir -p "$folder"
  { printf '\0\0\10\3'; be32 "$n"; be32 "$side"; be32 "$side"; head -c $((n * side * side)) /dev/zero | tr '\0' '\7'; } >"$folder/$split-images-idx3-ubyte"
  { printf '\0\0\10\1'; be32 $#; for label; do printf "\\$(printf %o "$label")"; done; } >"$folder/$split-labels-idx1-ubyte"
}
be32() { for shift in 24 16 8 0; do printf "\\$(printf %o $(($1 >> shift & 255)))"; done; }
# bmp K: a picture of 4×4 pixels, of which the K-th is white; K = 16: none.
le32() { for shift in 0 8 16 24; do printf "\\$(printf %o $(($1 >> shift & 255)))"; done; }
# white K PIXELS BYTES: pixels of so many bytes, of which the K-th is white.
white() { head -c $(($1 * $3)) /dev/zero; head -c $((($2 > $1) * $3)) /dev/zero | tr '\0' '\377'; head -c $((($2 > $1) * ($2 - $1 - 1) * $3)) /dev/zero; }
bmp() { printf BM; for n in 102 0 54 40 4 -4; do le32 $n; done; printf '\1\0\30\0'; for n in 0 0 0 0 0 0; do le32 $n; done; white "$1" 16 3; }
# pixel_net RECIPE: pixel.lua, a network on such pictures, whose class k is that of pixel k, so that no training is needed.
pixel_net() {
  cat >pixel.lua <<END
return {
  input = {channels = 1, size = 4},
  recipe = {optimizer = "sgd", $1},
  args = {classes = 0},
  network = function(x, args)
    local values = {}
    for k = 0, args.classes - 1 do
      for pixel = 0, 15 do values[#values + 1] = pixel == k and 9 or 0 end
    end
    return nn.linear(nn.flatten(x), args.classes, {name = "fc", values = values})
  end,
}
END
}
