# test_leaving.sh: what a test starts ends with it, also where ctest kills it. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# A test whose program is sleep: beside it, in a shell of its own, and in a call that it waits for.
cat >test.sh <<'END'
. "$SKP_SOURCE_DIR/tests/cli/lib.sh"
"$skipper" 1001 &
mkdir below && (cd below && "$skipper" 1002; true) &
echo "$dir" >"$1.folder"
run 0 1003
END

# Where there is no room for one it does not begin, and takes nothing for its own.
mkdir here
(cd here && : >kept && TMPDIR=/nowhere bash ../test.sh "$PWD/none" >out 2>&1 </dev/null) && fail "a test without a folder begins"
[ -e here/kept ] || fail "a test without a folder removes where it was called"

for signal in KILL TERM; do
  cp "$(command -v sleep)" "$signal"
  bash test.sh "$PWD/$signal" >out 2>&1 </dev/null &
  pid=$!
  until [ -s $signal.folder ] && [ "$(works_in "$(cat $signal.folder)" | wc -l)" -ge 5 ]; do
    kill -0 $pid || fail "the test ended by itself"
    sleep 0.1
  done
  inner=$(cat $signal.folder)
  kill -$signal $pid
  for _ in $(seq 100); do [ -e "$inner" ] && sleep 0.1 || break; done
  [ ! -e "$inner" ] || fail "SIG$signal: its folder is left"
  [ -z "$(works_in "$inner")" ] || fail "SIG$signal: something works on in its folder"
done
echo ok
