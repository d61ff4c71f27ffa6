# test_devices.sh: choosing a device, and having none. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

run 0 devices
in_out '^\* [0-9]+:[0-9]+ '
run 0 devices --json
in_out '^\{"devices":\[\{"platform":[0-9]+,"device":[0-9]+,"name":".*"default":true'
name=$(grep -o '"name":"[^"]*"' out | head -1 | cut -d'"' -f4)

refuse 1 'no-such-device' bench tiny.lua --device no-such-device
refuse 1 'no-such-platform' bench tiny.lua --platform no-such-platform
refuse 1 '999' bench tiny.lua --device 999
SKIPPER_DEVICE=no-such-device refuse 1 'no-such-device' bench tiny.lua
run 0 bench tiny.lua --steps 1 --device "$name"
in_err "$(printf %s "$name" | cut -c1-10)"

run 0 devices --device CPU
run 0 bench tiny.lua --steps 1 --device cpu
SKIPPER_DEVICE=cpu run 0 bench tiny.lua --steps 1
in_err '^device .{1,72}$'

# Where several may be meant each is measured, once, also those that fail at it, which are taken by their kind until they come through;
# so is one of two that are alike.
two() { POCL_DEVICES="basic basic" "$skipper" "$@" --platform portable; }
if [ "$(two devices 2>err | grep -c '^[* ] [0-9]*:[01]  basic')" = 2 ]; then
  SKIPPER_CACHE=$dir/failed SKIPPER_MEMORY=64 two bench tiny.lua --steps 1 >out 2>err || fail "devices that cannot be measured: $(cat err)"
  in_err '^[0-9]+:0 could not be measured: it is taken for its kind, or not at all. --device names one; bench --peak --device [0-9]+:0 tries again$'
  SKIPPER_CACHE=$dir/failed two bench tiny.lua --steps 1 >out 2>err || fail "devices that could not be measured: $(cat err)"
  ! grep measured err || fail "what failed is measured again"
  SKIPPER_CACHE=$dir/failed two devices >out 2>err
  [ "$(grep -c 'measuring it failed: it is taken for its kind' out)" = 2 ] || fail "devices does not say what could not be measured"
  SKIPPER_CACHE=$dir/failed two bench --peak --device 0 >out 2>err || fail "a device that could not be measured: $(cat err)"
  SKIPPER_CACHE=$dir/failed two devices >out 2>err
  [ "$(grep -c 'measured:' out)" = 2 ] || fail "a device that can be measured by now still counts as one that cannot"
  SKIPPER_CACHE=$dir/two two bench tiny.lua --steps 1 --device 0 >out 2>err || fail "one is named: $(cat err)"
  ! grep measured err || fail "the one that is named is measured"
  SKIPPER_CACHE=$dir/two two bench tiny.lua --steps 1 >out 2>err || fail "devices that are measured: $(cat err)"
  [ "$(grep -Ec 'Several devices may be meant: [0-9]+:[01] basic.* is measured, once$' err)" = 1 ] || fail "two of one name: $(cat err)"
  ls two/peaks/*.txt >/dev/null || fail "what was measured is not kept"
  SKIPPER_CACHE=$dir/two two bench tiny.lua --steps 1 >out 2>err || fail "devices that were measured: $(cat err)"
  ! grep measured err || fail "what was measured is measured again"
  SKIPPER_CACHE=$dir/two two devices >out 2>err
  in_out '^\* [0-9]+:0  basic'
  [ "$(grep -c 'measured:' out)" = 2 ] || fail "devices does not show what was measured"
  # What is stopped meanwhile takes along the process that measures, and says nothing of the device.
  SKIPPER_CACHE=$dir/stopped POCL_DEVICES="basic basic" "$skipper" bench tiny.lua --steps 1 --platform portable >out 2>err </dev/null &
  pid=$!
  until measuring=$(pgrep -P $pid -f -- '--peak'); do kill -0 $pid || fail "nothing was measured"; sleep 0.05; done
  kill -STOP "$measuring"
  kill -TERM $pid
  wait $pid
  [ $? = 143 ] || fail "no end by a signal"
  for _ in $(seq 20); do grep -qs '^State:[[:space:]]*[^XZ[:space:]]' "/proc/$measuring/status" || break; sleep 0.05; done
  ! grep -s '^State:[[:space:]]*[^XZ[:space:]]' "/proc/$measuring/status" || fail "the process that measures goes on"
  ! ls stopped/peaks/*.txt 2>/dev/null || fail "a stop counts as a device that cannot be measured"
  # What fails while another call comes through is known.
  SKIPPER_CACHE=$dir/raced POCL_DEVICES="basic basic" "$skipper" bench tiny.lua --steps 1 --platform portable >out 2>err </dev/null &
  pid=$!
  until measuring=$(pgrep -P $pid -f -- '--peak'); do kill -0 $pid || fail "nothing was measured"; sleep 0.05; done
  kill -STOP "$measuring"
  mkdir -p raced/peaks && cp two/peaks/*.txt raced/peaks
  kill -KILL "$measuring"
  wait $pid || fail "another call came through: $(cat err)"
  ! grep 'could not be measured' err || fail "what another call measured counts as what cannot be"
  diff -r two/peaks raced/peaks || fail "what another call measured is lost"
  # What would not be kept is not measured.
  : >nowhere
  for kept in SKIPPER_NO_CACHE=1 SKIPPER_CACHE=$dir/nowhere/cache; do
    (export "$kept"; two bench tiny.lua --steps 1 --json) >out 2>err || fail "$kept: $(cat err)"
    ! grep measured err || fail "$kept: it is measured each time"
    in_out '^\{"img_per_s":'
  done
  # What the environment says of this call is not said of that one.
  SKIPPER_CACHE=$dir/other SKIPPER_BACKEND=reference two bench tiny.lua --steps 1 --backend opencl >out 2>err || fail "another backend: $(cat err)"
  ! grep 'could not be measured' err || fail "the backend is not the one that is measured"
  SKIPPER_CACHE=$dir/said SKIPPER_PLATFORM=none SKIPPER_LAYERS=none SKIPPER_MODE=none SKIPPER_JSON=none SKIPPER_THREADS=none SKIPPER_VERBOSE=none \
    two train tiny.lua --max-steps 1 --json --threads 1 --verbose --out trained >out 2>err || fail "options that the environment says: $(cat err)"
  in_err 'is measured, once$'
  ! grep 'could not be measured' err || fail "what the environment says of options spoils what is measured"
  # One of another kind that does much more goes before the first.
  [ "$(nproc)" = 1 ] || {
    SKIPPER_CACHE=$dir/mixed POCL_DEVICES="basic pthread" "$skipper" bench tiny.lua --steps 1 --platform portable >out 2>err || fail "two kinds: $(cat err)"
    [ "$(grep -c 'is measured, once$' err)" = 2 ] || fail "two kinds: $(cat err)"
    SKIPPER_CACHE=$dir/neither SKIPPER_MEMORY=64 POCL_DEVICES="basic pthread" "$skipper" bench tiny.lua --steps 1 --platform portable >out 2>err || fail "two that cannot be measured: $(cat err)"
    [ "$(grep -c 'could not be measured' err)" = 2 ] || fail "the second of two is not measured: $(cat err)"
    sed -i 's/^fma .* float/fma 9e+12 float/; s/^triad .* bytes/triad 9e+11 bytes/' $(grep -l '^on pthread' mixed/peaks/*.txt)
    SKIPPER_CACHE=$dir/mixed POCL_DEVICES="basic pthread" "$skipper" devices --platform portable >out
    in_out '^\* [0-9]+:1  pthread'
  }
fi

# A GPU in the machine that no driver lists, laid out in files: what it lacks, and what to do.
gpu=$dir/root/sys/bus/pci/devices/0000:03:00.0
mkdir -p "$gpu/drm/renderD128" root/dev/dri root/etc/OpenCL/vendors
echo 0x030000 >"$gpu/class"; echo 0x1002 >"$gpu/vendor"; echo 0x73bf >"$gpu/device"
ln -s ../amdgpu "$gpu/driver"
: >root/dev/dri/renderD128
export SKIPPER_ROOT=$dir/root
run 0 devices
in_out 'AMD GPU 1002:73bf at 0000:03:00.0 is not used: no OpenCL driver for it is installed'
in_out '^ *sudo apt install mesa-opencl-icd$'
run 0 devices --json
in_out '"gpus_without_driver":\[\{"name":"AMD GPU .*"package":"mesa-opencl-icd"\}\]'
run 0 bench tiny.lua --steps 1
in_err 'AMD GPU.* is not used: skipper devices says why'
refuse 1 'sudo apt install mesa-opencl-icd' bench tiny.lua --device gpu
: >root/etc/OpenCL/vendors/rusticl.icd
RUSTICL_ENABLE=iris run 0 devices
in_out 'RUSTICL_ENABLE=radeonsi$'
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then # root may open everything
  chmod 755 "$dir"
  chmod 660 root/dev/dri/renderD128
  cp "$skipper" skipper
  HOME=/proc setpriv --reuid=65534 --regid=65534 --clear-groups ./skipper devices >out 2>err
  in_out 'you may not open /dev/dri/renderD128'
  in_out 'sudo usermod -aG render nobody, then log in again'
fi
unset SKIPPER_ROOT

# No driver at all: which package to install for each vendor.
# Variables stand for options: where kernels are kept, which methods are taken, how long to wait, what "" takes back.
if "$skipper" bench tiny.lua --steps 1 >out 2>err; then
  SKIPPER_CACHE=$dir/own run 0 bench tiny.lua --steps 1
  env -u SKIPPER_CACHE XDG_CACHE_HOME="$dir/xdg" "$skipper" bench tiny.lua --steps 1 >out 2>err || fail "XDG_CACHE_HOME"
  env -u SKIPPER_CACHE -u XDG_CACHE_HOME HOME="$dir/home" "$skipper" bench tiny.lua --steps 1 >out 2>err || fail "HOME"
  SKIPPER_CACHE=$dir/none SKIPPER_NO_CACHE=1 SKIPPER_SYNC=1 SKIPPER_TIMEOUT=500 run 0 bench tiny.lua --steps 1
  ls own/kernels/* xdg/skipper/kernels/* home/.cache/skipper/kernels/* >out || fail "kernels were not kept where they belong"
  [ ! -e none ] || fail "kernels were kept all the same"
  SKIPPER_METHOD=relu=fast refuse 2 'the methods of relu are' bench tiny.lua
fi
SKIPPER_BACKEND=abacus refuse 2 'abacus' bench tiny.lua
SKIPPER_BACKEND=abacus run 0 bench tiny.lua --backend reference --steps 1

mkdir vendors
export OCL_ICD_VENDORS=$dir/vendors OCL_ICD_FILENAMES=
run 1 devices
for package in pocl intel nvidia mesa; do grep -qi $package out err || fail "the advice lacks $package"; done
run 1 bench tiny.lua
in_err 'pocl'
run 1 train tiny.lua --max-steps 1 --out run
[ ! -e run ] || fail "a run that did not begin left its folder"
run 0 summary tiny.lua
in_err 'No device'
run 0 train tiny.lua --backend reference --max-steps 1 --out run
echo ok
