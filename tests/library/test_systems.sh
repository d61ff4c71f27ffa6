# test_systems.sh: cmake refuses what Skipper does not support, before it looks for libraries: 32 bits, big-endian, another C library than
# glibc. The compiler at hand passes for one of such a system by its flags, but for the order of bytes; nothing is linked. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# configured FLAGS…: what cmake says of a compiler with these flags.
configured() {
  rm -rf system
  "$CMAKE" -S "$SKP_SOURCE_DIR" -B system "-DCMAKE_C_COMPILER=$CC" -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY "-DCMAKE_C_FLAGS=$*" -DBUILD_TESTING=OFF \
    >out 2>err
}
# refused FLAGS…
refused() {
  called="a build by $CC $*"
  ! configured "$@" || fail "$called is configured"
  in_err 'Skipper supports 64-bit little-endian systems with glibc'
}

configured -g
not_in_err 'Skipper supports'
[ "$(uname -m)" != x86_64 ] || refused -m32
mkdir other-libc
: >other-libc/features.h
refused "-I$dir/other-libc"
# The real ones, where they are installed.
for CC in s390x-linux-gnu-gcc powerpc-linux-gnu-gcc i686-linux-gnu-gcc arm-linux-gnueabihf-gcc musl-gcc; do
  ! command -v $CC >/dev/null || refused -g
done
