# test_download.sh: tools/download, from a folder instead of the servers. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
command -v curl >/dev/null || { echo "skipped: no curl, which alone reads file:// addresses"; exit 77; }

# A server's files, and the script with their addresses and sums.
idx server/small train 64 28 $(seq 0 63 | sed 's/.*\(.\)/\1/')
mkdir -p server/cifar-10-batches-bin
for record in 0 1 2 3 4 5 6 7 8 9; do
  printf "\\$(printf %o $record)"
  head -c 3072 /dev/zero | tr '\0' "\\$(printf %o $((record * 20)))"
done >server/cifar-10-batches-bin/data_batch_1.bin
tar -czf server/cifar-10-binary.tar.gz -C server cifar-10-batches-bin
for part in train-images-idx3 train-labels-idx1; do
  gzip -c "server/small/$part-ubyte" >"server/$part-ubyte.gz"
  cp "server/$part-ubyte.gz" "server/t10k-${part#train-}-ubyte.gz"
done
sum() { md5sum <"server/$1" | cut -d' ' -f1; }
cp "$SKP_SOURCE_DIR/tools/download" download
sed -i "s#^\(mnist\|fashion\|cifar\)=.*#\1=file://$dir/server#" download
for file in train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz cifar-10-binary.tar.gz; do
  sed -i "s/\(\$[a-z]* *$file *\)[0-9a-f]*/\1$(sum $file)/" download
done

# get STATUS PATTERN WORD…
get() {
  local want=$1 pattern=$2 got=0
  shift 2
  bash ./download "$@" >out 2>err </dev/null || got=$?
  [ "$got" = "$want" ] || fail "download $*: exit status $got, not $want"
  cat err >>out
  grep -q -- "$pattern" out || fail "download $*: \"$pattern\" is missing"
}

# What comes can be trained on; a second call finds it there.
get 0 'train models/identity.lua --data data/mnist' mnist
run 0 train tiny.lua --data data/mnist --max-steps 1 --out mnist-run
get 0 't10k-labels-idx1-ubyte.gz is there already' mnist
get 0 'data/cifar10 is complete' cifar10
[ -z "$(find data -name '*.part' -o -name '*.tar.gz' -o -name '.unpack')" ] || fail "something was left behind"
sed 's/channels = 1/channels = 3/' tiny.lua >colour.lua
run 0 train colour.lua --data data/cifar10 --max-steps 1 --out cifar-run
get 0 'cifar-10-batches-bin is there already' cifar10

# Begun before: it goes on. What is wrong does not stay.
mkdir half
head -c 1000 server/train-images-idx3-ubyte.gz >half/train-images-idx3-ubyte.gz.part
get 0 'half is complete' fashion-mnist half
cmp server/train-images-idx3-ubyte.gz half/train-images-idx3-ubyte.gz || fail "the resumed file differs"
echo wrong >server/cifar-10-binary.tar.gz
get 1 'has the MD5 sum' cifar10 wrong
[ -z "$(ls wrong)" ] || fail "a wrong file stayed"
rm server/train-labels-idx1-ubyte.gz
get 1 'train-labels-idx1-ubyte.gz cannot be downloaded' mnist gone
get 1 'there is no set "imagenet"' imagenet
get 1 'usage'
[ ! -e data/imagenet ] || fail "a folder nobody wanted"
echo ok
