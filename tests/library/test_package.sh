# test_package.sh: the packages that CPack makes hold what is installed, and recipes are of this version. ci/package also tries them in a bare Debian.
# SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
version=$(sed -n 's/.*SKP_VERSION  *"\(.*\)"/\1/p' "$SKP_SOURCE_DIR/include/skipper/version.h")

# Each recipe names a version, and no other.
for recipe in aur/PKGBUILD fedora/skipper.spec homebrew/skipper.rb Dockerfile; do
  named=$(grep -oE '[0-9]+\.[0-9]+\.[0-9]+' "$SKP_SOURCE_DIR/packaging/$recipe" | sort -u)
  [ "$named" = "$version" ] || fail "packaging/$recipe is of version ${named:-unknown}"
done
cpack=$(dirname "$CMAKE")/cpack
[ -x "$cpack" ] || cpack=$(command -v cpack) || { echo "skipped: no cpack"; exit 77; }

"$cpack" --config "$SKP_BINARY_DIR/CPackSourceConfig.cmake" -B "$dir/source" >out 2>err || fail "no tarball of the sources"
tar -tzf "$dir/source/skipper-$version.tar.gz" >out || fail "the tarball is damaged"
for file in CMakeLists.txt src/cli/main.c cl/relu.cl models/resnet.lua packaging/Dockerfile tests/cli/lib.sh; do
  grep -qx "skipper-$version/$file" out || fail "the tarball lacks $file"
done
! grep -qE '/\.git/|/build/|/shared/' out || fail "the tarball has what is no source"
command -v dpkg-shlibdeps >/dev/null && command -v file >/dev/null || { echo "skipped: no dpkg-dev or no file: no Debian package here"; exit 77; }
"$cpack" --config "$SKP_BINARY_DIR/CPackConfig.cmake" -G DEB -B "$dir/deb" >out 2>err || fail "no Debian package"
deb=$(echo "$dir"/deb/skipper_"$version"_*.deb)
dpkg-deb -c "$deb" >out || fail "the package is damaged"
for file in bin/skipper 'lib/.*libskipper.so.0.1' include/skipper/skipper.h share/skipper/models/resnet.lua share/man/man1/skipper-train.1.gz \
  share/doc/skipper/copyright share/doc/skipper/changelog.gz share/bash-completion/completions/skipper; do
  grep -qE " \./usr/$file( ->.*)?\$" out || fail "the package lacks $file"
done
dpkg-deb -f "$deb" Depends >out
for library in libc6 libclblast1 liblua5.4-0 libcjson1 ocl-icd-libopencl1; do grep -q "$library" out || fail "the package does not ask for $library"; done
if command -v lintian >/dev/null; then lintian --fail-on error "$deb" >out 2>err || fail "lintian finds errors"; fi
