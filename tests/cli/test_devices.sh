# test_devices.sh: choosing a device, and having none. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

run 0 devices
in_out '^\* [0-9]+:[0-9]+ '
run 0 devices --json
in_out '^\{"devices":\[\{"platform":[0-9]+,"device":[0-9]+,"name":".*"default":true'
name=$(sed 's/.*"default":true//; t; d' out >/dev/null; grep -o '"name":"[^"]*"' out | head -1 | cut -d'"' -f4)

refuse 1 'no-such-device' bench tiny.lua --device no-such-device
refuse 1 'no-such-platform' bench tiny.lua --platform no-such-platform
refuse 1 '999' bench tiny.lua --device 999
SKIPPER_DEVICE=no-such-device refuse 1 'no-such-device' bench tiny.lua
run 0 bench tiny.lua --steps 1 --device "$name"
in_err "$(printf %s "$name" | cut -c1-10)"

# No driver at all: which package to install for each vendor.
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
