# test_homeless.sh: nowhere to keep compiled kernels: service users, containers, read-only homes. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
unset XDG_CACHE_HOME POCL_CACHE_DIR SKIPPER_CACHE
run 0 devices
grep -q 'Portable Computing Language' out || { echo "no PoCL here"; exit 77; }
export SKIPPER_DEVICE=0 SKIPPER_PLATFORM=Portable TMPDIR=$dir/tmp
mkdir tmp writable locked
touch file

# trains WORD…: with these variables a network is trained, and nothing stays in the temporary folder.
trains() {
  called="env $*"
  env "$@" timeout "${SKP_RUN_SECONDS:-300}" "$skipper" train "$dir/tiny.lua" --max-steps 1 --out run >out 2>err </dev/null || fail "env $*: status $?"
  [ -z "$(ls -A tmp)" ] || fail "env $*: left behind: $(ls -A tmp)"
  env "$@" "$skipper" devices >out 2>err </dev/null
}
# Folders that nobody can write to, not even root.
for home in HOME=/proc HOME=/nonexistent/home HOME= HOME="$dir/file" XDG_CACHE_HOME=/proc/self POCL_CACHE_DIR=/proc/cache; do
  [ "$home" = HOME=/nonexistent/home ] && [ -w / ] && continue
  [ "$home" = HOME= ] && [ -w / ] && continue
  trains "$home"
  in_out 'PoCL cannot write to .*: its kernels are in a temporary folder.*POCL_CACHE_DIR=FOLDER keeps them'
done
trains -u HOME

# What can be written is used and kept.
trains HOME=/proc POCL_CACHE_DIR="$dir/writable/kernels"
[ -n "$(ls writable/kernels)" ] || fail "POCL_CACHE_DIR was not used"
grep -q 'PoCL cannot write' out && fail "said without need"

# A call that fails leaves nothing either.
HOME=/proc refuse 1 'no-such-device' bench tiny.lua --device no-such-device --platform Portable
[ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"

# What a killed process left goes with the next one; that of one that lives, or of this minute, stays.
mkdir tmp/skipper-killed tmp/skipper-living tmp/skipper-fresh1
touch tmp/skipper-killed/file
touch -d '1 hour ago' tmp/skipper-killed tmp/skipper-living
(cd tmp/skipper-living && exec flock . sleep 20) &
sleep 0.3
HOME=/proc run 0 devices
kill %1
[ "$(ls tmp)" = $'skipper-fresh1\nskipper-living' ] || fail "left: $(ls tmp)"
rm -r tmp/skipper-*

# Somebody without any rights (only root can become nobody).
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || { echo ok; exit 0; }
chmod 755 "$dir"
chmod 1777 tmp
cp "$skipper" skipper
env HOME=/root TMPDIR="$dir/tmp" setpriv --reuid=65534 --regid=65534 --clear-groups ./skipper bench "$dir/tiny.lua" --steps 1 >out 2>err </dev/null ||
  fail "nobody cannot run"
[ -z "$(ls -A tmp)" ] || fail "nobody left behind: $(ls -A tmp)"
echo ok
