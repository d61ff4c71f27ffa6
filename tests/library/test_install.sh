# test_install.sh: an installed copy is complete: projects outside find it with CMake and with pkg-config, C and C++ take its headers, nothing but
# skp_… is seen of the library, and program and models work from there. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
prefix=$dir/a\ prefix
version=$(sed -n 's/.*SKP_VERSION  *"\(.*\)"/\1/p' "$SKP_SOURCE_DIR/include/skipper/version.h")

# quietly WORD…: a command that must succeed.
quietly() { called="$*"; "$@" >out 2>err || fail "$called failed"; }

quietly "$CMAKE" --install "$SKP_BINARY_DIR" --prefix "$prefix"
lib=$(dirname "$(find "$prefix" -name libskipper.so)")

# What is seen of it.
seen=$(nm -D --defined-only "$lib/libskipper.so" | awk '{print $3}')
grep -qx skp_train <<<"$seen" || fail "libskipper.so does not export skp_train"
bad=$(grep -vE '^skp_[a-z]' <<<"$seen")
[ -z "$bad" ] || fail "libskipper.so exports $bad"
declared=$(sed -n 's/^SKP_API .*[ *]\(skp_[a-z0-9_]*\)(.*/\1/p' "$prefix"/include/skipper/*.h | sort)
[ "$declared" = "$(sort <<<"$seen")" ] || fail "the headers and libskipper.so differ: $(diff <(echo "$declared") <(sort <<<"$seen"))"
readelf -d "$lib/libskipper.so" | grep -q 'SONAME.*\[libskipper\.so\.[0-9.]*\]' || fail "libskipper.so has no SONAME"

# CMake: the shared and the static library.
expect() { grep -Fxq "skipper $version: 10 classes, in all 1.000" out || fail "$called: another answer"; }
quietly "$CMAKE" -S "$SKP_SOURCE_DIR/tests/library/outside" -B outside "-DCMAKE_PREFIX_PATH=$prefix" "-DCMAKE_C_COMPILER=$CC"
quietly "$CMAKE" --build outside
for kind in shared static; do
  quietly outside/$kind
  expect
done
! readelf -d outside/static | grep -q libskipper || fail "the static program needs libskipper.so"

# pkg-config. What it says is for a shell, as a prefix with blanks shows.
export PKG_CONFIG_PATH=$lib/pkgconfig
quietly pkg-config --exact-version="$version" skipper
eval "flags=($(pkg-config --cflags --libs skipper))"
quietly "$CC" -std=c11 -pedantic -Wall -Wextra -Werror "$SKP_SOURCE_DIR/tests/library/outside/outside.c" -o by-pkg-config "${flags[@]}"
LD_LIBRARY_PATH=$lib quietly ./by-pkg-config
expect
if command -v c++ >/dev/null; then
  echo '#include <skipper/skipper.h>
int main() { return !skp_version(); }' >header.cpp
  quietly c++ -std=c++11 -pedantic -Wall -Wextra -Werror header.cpp -o header "${flags[@]}"
  LD_LIBRARY_PATH=$lib quietly ./header
fi

# The program, and the models and blocks beside it.
skipper=$prefix/bin/skipper
run 0 --version
in_out "^skipper $version$"
run 0 summary resnet20
run 0 summary "$prefix/share/skipper/models/resnet20.lua"
[ -f "$prefix/share/skipper/models/lib/blocks.lua" ] || fail "the blocks are not installed"
for file in man/man1/skipper.1 man/man1/skipper-train.1 bash-completion/completions/skipper zsh/site-functions/_skipper fish/vendor_completions.d/skipper.fish; do
  [ -s "$prefix/share/$file" ] || fail "$file is not installed"
done
