# mpi.sh: what the tests of several ranks share, after lib.sh. SPDX-License-Identifier: MIT
command -v mpirun >/dev/null || { echo "skipped: no mpirun"; exit 77; }
grep -q '^MPI_FOUND:INTERNAL=1' "$SKP_BINARY_DIR/CMakeCache.txt" && ! grep -q '^SKP_MPI:.*=OFF' "$SKP_BINARY_DIR/CMakeCache.txt" ||
  { echo "skipped: this build has no MPI"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

# ranks N STATUS WORD…: so many processes, as `run` one.
ranks() {
  local n=$1 want=$2 got=0
  shift 2
  called="mpirun -n $n skipper $*"
  timeout 300 mpirun -n "$n" "$skipper" "$@" >out 2>err </dev/null || got=$?
  [ "$got" = "$want" ] || fail "$called: exit status $got, not $want"
}
losses() { sed -n 's/.*"loss":\([^,]*\),"lr".*/\1/p' "$1/log.jsonl"; }
# near FOLDER FOLDER TOLERANCE: as many steps, and losses that differ by rounding.
near() {
  paste <(losses "$1") <(losses "$2") | awk -v most="$3" 'NF != 2 { bad = 1 } { d = $1 - $2; if (d < 0) d = -d; if (d > most * $1) bad = 1 }
    END { exit bad || NR < 5 }' || fail "the losses of $1 and $2 differ: $(paste <(losses "$1") <(losses "$2") | head -20)"
}

# Batchnorms by themselves, before a relu, and after which something is added; one learns its bias alone.
cat >norms.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1, freeze = "last.weight"},
  network = function(x)
    x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3, stride = 2, name = "conv1"}), {name = "first"}))
    x = nn.relu(x + nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3, padding = 1, name = "conv2"}), {name = "second"}))
    x = nn.batchnorm2d(nn.conv2d(x, 8, {kernel = 3, stride = 2, name = "conv3"}), {name = "last"})
    return nn.linear(nn.flatten(x), 10, {name = "fc"})
  end,
}
END
