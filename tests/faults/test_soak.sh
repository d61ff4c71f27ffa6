# test_soak.sh: a run of many steps leaks nothing: after a tenth of it resident memory grows by less than 1 MiB, the driver has as many
# objects as before, and none at the end. FAULT_STEPS: how many. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
"$skipper" devices | grep -q '^\* ' || exit 77
idx set train 64 28 $(seq 0 63 | sed 's/.*\(.\)/\1/')
steps=${FAULT_STEPS:-20000}
options="--data set --batch 16 --epochs 1000000 --save-every 500steps --workers 1"
run 0 train tiny.lua $options --max-steps 1 --out run # kernels are in the cache now, and are trusted

export MALLOC_ARENA_MAX=1 # a thread that met another in malloc would have memory of its own from then on: not a leak
called="skipper train --max-steps $steps"
OPENCL_LAYERS=$SKP_LAYERS/liblayer_objects.so FAULT_COUNT=$dir/objects "$skipper" train tiny.lua $options --max-steps "$steps" --out run >out 2>err </dev/null &
pid=$!
step() { tail -c 4096 run/log.jsonl 2>/dev/null | sed -n 's/^{"step":\([0-9]*\),.*/\1/p' | tail -1; }
memory() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' /proc/$pid/status 2>/dev/null; }
first= last=
while kill -0 $pid 2>/dev/null; do
  now=$(memory) at=$(step)
  if [ "${at:-0}" -ge $((steps / 10)) ] && [ -n "$now" ]; then first=${first:-$now} last=$now; fi
  sleep 0.2
done
wait $pid || fail "status $?"
[ -s objects ] || exit 77 # some loaders know no layers
[ -n "$first" ] || fail "it was over before anything could be measured"
echo "$steps steps: resident memory $first KiB after a tenth, $last KiB at the end; objects: $(sed -n 1p objects), $(tail -2 objects | head -1), $(tail -1 objects)"
[ $((last - first)) -lt 1024 ] || fail "resident memory grew from $first to $last KiB"
tail -1 objects | grep -qx 'buffers 0 events 0 kernels 0 programs 0' || fail "objects that nobody released: $(tail -1 objects)"
# Those of the run itself, while it went on: no more at the end than after the first thousand flushes, but for events in flight.
awk '{ b[NR] = $2; e[NR] = $4; k[NR] = $6; p[NR] = $8 } END { exit !(NR < 3 || (b[NR-1] <= b[1] && k[NR-1] <= k[1] && p[NR-1] <= p[1] && e[NR-1] <= e[1] + 16)) }' objects || fail "objects add up: $(cat objects)"
