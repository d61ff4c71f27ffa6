# test_trace.sh: train --trace-steps, bench --trace: what host and device did, for Perfetto and Chrome. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

# names FILE KIND: what spans of that kind are called.
names() { sed -n "s/.*\"ph\":\"X\".*\"cat\":\"$2\",\"name\":\"\([^\"]*\)\".*/\1/p" "$1" | sort -u; }
# judge FILE: JSON, in which spans of a thread lie within each other or after each other, to a microsecond.
judge() {
  python3 - "$1" <<'END' || fail "$1 is no good trace"
import json, sys
events = json.load(open(sys.argv[1]))['traceEvents']
spans = sorted((e['tid'], e['ts'], -e['dur'], e['name']) for e in events if e['ph'] == 'X')
named = {e['tid'] for e in events if e['name'] == 'thread_name'}
assert spans and {s[0] for s in spans} <= named
open_spans, track = [], None
for tid, ts, minus, name in spans:
    if tid != track: open_spans, track = [], tid
    while open_spans and open_spans[-1] <= ts + 1: open_spans.pop()
    assert -minus >= 0 and (not open_spans or ts - minus <= open_spans[-1] + 1), (name, ts, -minus, open_spans[-1])
    open_spans.append(ts - minus)
END
}

run 0 bench tiny.lua --steps 2 --trace bench.json --layers
in_err 'bench.json: open it in'
launches=$(awk '/launches a step/ {print $1}' out)
[ "$(grep -c '"cat":"launch"' bench.json)" = $((5 * launches)) ] || fail "not the $launches launches of 5 steps"
names bench.json launch >launched
while read -r name; do grep -q "^ .* $name\$\|\b$name\b" out || fail "--layers knows no launch $name"; done <launched
in_file bench.json '"args":{"op":"linear"}'

run 0 train tiny.lua --epochs 2 --workers 2 --trace-steps 20 --out run --seed 3
for part in 'launch' 'copy'; do [ -n "$(names run/trace.json $part)" ] || fail "the trace lacks $part"; done
names run/trace.json host | grep -q '^queue a step of training$' || fail "the trace lacks the host's steps"
names run/trace.json wait | grep -q '^wait for the device$' || fail "the trace lacks waits"
names run/trace.json loader | grep -q '^make a batch$' || fail "the trace lacks the loader"
[ "$(grep -c 'queue a step of training' run/trace.json)" -ge 20 ] || fail "not 20 steps"
run 0 train tiny.lua --epochs 2 --workers 2 --out plain --seed 3
[ ! -e plain/trace.json ] || fail "a trace that nobody asked for"
cmp run/last.safetensors plain/last.safetensors || fail "a trace changes results"

run 0 train tiny.lua --max-steps 3 --trace short.json --out short --backend reference
names short.json launch | grep -q '^reference$' || fail "the reference backend traces no launches"
refuse 1 '/proc/nowhere' bench tiny.lua --steps 1 --trace /proc/nowhere/t.json --backend reference
if ! command -v python3 >/dev/null; then
  echo "skipped: no Python that reads JSON"
  exit 77
fi
for file in bench.json run/trace.json short.json; do judge "$file"; done
