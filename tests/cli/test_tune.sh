# test_tune.sh: which methods are fastest is timed once, kept for people to read and to edit, and obeyed. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
"$skipper" devices >out 2>err || { echo "no device"; exit 77; }
export SKIPPER_CACHE=$PWD/cache
cat >small.lua <<'LUA'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 16, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x)
    x = nn.relu(nn.conv2d(x, 16, {kernel = 3, padding = 1}))
    x = nn.relu(nn.conv2d(x, 16, {kernel = 3, padding = 1}))
    return nn.linear(nn.global_avgpool(x), 10)
  end,
}
LUA
train() { run "$1" train small.lua --max-steps 3 --seed 5 "${@:2}"; }

train 0 --out plain
not_in_err '^tuned '
train 0 --out first --tune full
in_err '^tuned    .*/cache/tuned/[0-9a-f]+\.txt: 0 calls known, [0-9]+ timed in [0-9.]+ s$'
file=$(echo cache/tuned/*.txt)
grep -Eq '^[a-z0-9_]+ [0-9.e+-]+ conv2d_dw 16×28×28×16, 16×28×28×16 -> 3×3×16×16' "$file" || fail "$(cat "$file")"
cp "$file" timed

# The second start times nothing of what is known, and makes the same bits.
SKIPPER_TUNE=full train 0 --out second
grep -q '^tuned .*timed in' err && fail "timed again"
in_err '^tuned .*: [1-9][0-9]* calls known$'
cmp "$file" timed || fail "the file has changed"
cmp first/last.safetensors second/last.safetensors || fail "the same methods make other weights"

# A call that cannot be timed for want of memory is passed over: the device is what it was, and the others are timed.
layer=${SKP_BINARY_DIR:?}/tests/libfault_layer.so
OPENCL_LAYERS=$layer FAULTS_LOG=$PWD/faults FAULTS=clGetEventProfilingInfo@5-5=-4 SKIPPER_CACHE=$PWD/short-of train 0 --out short --tune full
if [ -s faults ]; then # some loaders know no layers
  [ "$(cat short-of/tuned/*.txt | wc -l)" = $(($(wc -l <timed) - 1)) ] || fail "not one call fewer: $(cat short-of/tuned/*.txt)"
fi

# What a person wrote is obeyed; what is nonsense is said, and passed over.
other=$("$skipper" bench small.lua --steps 1 --tune full -v 2>&1 | sed -n 's/^conv2d 16×28×28×16, .*: \([a-z_]*\).*/\1/p' | head -1)
sed -i '3,$s/^[a-z0-9_]* \([0-9.e+-]* conv2d 16×28×28×16,\)/direct \1/' "$file"
echo "hugo 1 conv2d 1×1" >>"$file"
run 0 bench small.lua --steps 1 --tune full -v
in_err "^conv2d 16×28×28×16, .*: direct"
in_err "$file: line [0-9]+ is ignored: it names no method, time and call"
[ "$other" ] || fail "no method was said"
run 0 bench small.lua --steps 1 --tune off -v
! grep -Eq '^tuned ' err || fail "--tune off tells of a file"
head -c 300 /dev/urandom >"$file"
train 0 --out third --tune quick
in_err "is ignored: it is of another version or device"
refuse 2 'is off, quick or full, not "fast"' bench small.lua --tune fast
echo ok
