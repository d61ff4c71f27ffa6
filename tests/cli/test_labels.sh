# test_labels.sh: a network's classes are told by their names, in whatever order and number they are met. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

pixel_net 'data = "set", batch = 8, epochs = 1, lr = 0.001'
# folder DIR NAME=PIXEL…: two pictures of each class.
folder() {
  local dir=$1
  shift
  for class; do
    mkdir -p "$dir/${class%=*}"
    for i in 1 2; do bmp "${class##*=}" >"$dir/${class%=*}/$i.bmp"; done
  done
}
# labels DIR SPLIT LABEL…: IDX files of an image each, its white pixel the place of its label in `order`.
labels() {
  local dir=$1 split=$2
  shift 2
  mkdir -p "$dir"
  { printf '\0\0\10\3'; be32 $#; be32 4; be32 4; for label; do white "${order[label]}" 16 1; done; } >"$dir/$split-images-idx3-ubyte"
  { printf '\0\0\10\1'; be32 $#; for label; do printf "\\$(printf %o "$label")"; done; } >"$dir/$split-labels-idx1-ubyte"
}
# net NAME DATA: a network that knows the classes of DATA.
net() { run 0 train pixel.lua --data "$2" --max-steps 0 --out "$1"; }
# judged NET DATA ACCURACY OTHERS WORD…: what eval finds; OTHERS: what it says of images that do not count.
judged() {
  run 0 eval "$1" --data "$2" --json "${@:5}"
  in_out "^\{\"accuracy\":$3,.*$4"
}
# answered LABELS: those that predict --logits wrote into the file `logits`.
answered() {
  local head ends
  head=$(head -c 8 logits | od -An -td8 | xargs)
  ends=$(head -c $((8 + head)) logits | tail -c "$head" | sed 's/.*"labels":{[^}]*"data_offsets":\[\([0-9,]*\)\].*/\1/')
  head=$(tail -c +$((9 + head + ${ends%,*})) logits | head -c $((${ends#*,} - ${ends%,*})) | od -An -td4 | xargs)
  [ "$head" = "$1" ] || fail "labels: $head, not $1"
}
none='"unlabelled":0,"unknown_images":0,"unknown_classes":\[\],'

# Folders that lack a class, one class alone, classes that nobody learned, with and without test/.
folder set/train apple=0 fig=1 kiwi=2 pear=3
net net set
judged net set 1 "$none"
for within in '' test/; do
  rm -rf part
  folder "part/$within" apple=0 kiwi=2 pear=3
  judged net part 1 "\"n\":6,.*$none"
  rm -r "part/${within}apple" "part/${within}pear"
  judged net part 1 "\"n\":2,.*$none"
  folder "part/$within" aaa=3 zoo=3
  judged net part 1 '"n":6,.*"unlabelled":0,"unknown_images":4,"unknown_classes":\["aaa","zoo"\]'
  in_err '^4 of the [68] images of part are of 2 unknown classes and do not count: aaa, zoo$'
  run 0 eval net --data part
  in_out '^accuracy 100.00 %'
  run 0 predict net --data part --logits logits
  answered "-1 -1 2 2 -1 -1"
done
folder wrong fig=2 pear=3 # half of them
judged net wrong 0.5 "$none"

# Other names altogether, and bare numbers beside names: only the numbers can be meant, and who means them says so.
folder other x=0 y=1
refuse 1 'The classes of other cannot be told from their names: it has \(x, y\), whereas the network learned apple, fig, kiwi, pear\. .*--labels number' eval net --data other
judged net other 1 "$none" --labels number
order=(0 1 2 3 4 5 6 7 8 9 10)
labels bare t10k 0 1 3
refuse 1 'its labels are mere numbers \(0, 1, 3\), whereas the network learned apple.*--labels number' eval net --data bare
refuse 1 '--labels number' predict net --data bare --logits logits
judged net bare 1 "$none" --labels number
labels bare t10k 0 1 3 9
judged net bare 1 '"unknown_images":1,"unknown_classes":\["9"\]' --labels number
refuse 2 'labels is name or number' eval net --data set --labels nmae

# Eleven folders of numbers: "10" comes before "2", but it is the label 10 of the same pictures in an IDX file, and "03" is 3.
folder eleven 0=0 1=1 10=2 2=3 3=4 4=5 5=6 6=7 7=8 8=9 9=10
net eleven-net eleven
order=(0 1 3 4 5 6 7 8 9 10 2)
labels idx t10k 0 1 2 3 4 5 6 7 8 9 10
judged eleven-net idx 1 "$none"
folder padded 03=4 010=2
judged eleven-net padded 1 "$none"
order=(0 1 2 3 4 5 6)
labels seven train 0 1 2 3 4 5 6
net seven-net seven
folder ten 10=10 2=2 6=6
judged seven-net ten 1 '"unknown_images":2,"unknown_classes":\["10"\]'
folder both 03=0 3=1 x=2 # numbers of one value are two classes where both are learned
net both-net both
judged both-net both 1 "$none"

# The same text in two forms of Unicode, also within a set.
composed="caf"$'\xc3\xa9' decomposed="cafe"$'\xcc\x81'
folder composed/train "$composed=0" tea=1
folder decomposed "$decomposed=0" tea=1
net composed-net composed
judged composed-net decomposed 1 "$none"
mv composed/train/tea . && folder composed/train "$decomposed=0" && mv tea composed/train
net twice-net composed
in_err '6 images to train on, 2 classes;'
judged twice-net decomposed 1 "$none"

# A network without names is judged by numbers, and it is said.
run 0 train pixel.lua --data '' --set classes=4 --max-steps 0 --out nameless
judged nameless set 1 "$none"
in_err 'The network knows no names of its classes: labels go by number'
run 0 predict nameless set/train/fig/1.bmp
in_out '1.bmp: 1 '

# CIFAR's files with and without their names, and folders of these names.
cifar() {
  mkdir -p "$1"
  for label in 0 1 2 3 4 5 6 7; do printf "\\$label"; white "$label" 3072 1; done >"$1/$2.bin"
}
sed 's/channels = 1, size = 4/channels = 3, size = 32/; s/pixel = 0, 15/pixel = 0, 3071/' pixel.lua >colour.lua
cifar named data_batch_1
cifar bare10 data_batch_1
cifar bare10 test_batch
printf '%s\n' airplane automobile bird cat deer dog frog horse ship truck '' >named/batches.meta.txt
run 0 train colour.lua --data named --max-steps 0 --out cifar-net
judged cifar-net bare10 1 "$none"
in_err 'The network knows its classes by their numbers in such files'
run 0 train colour.lua --data bare10 --max-steps 0 --out numbers-net
judged numbers-net named 1 "$none"
folder animals cat=3 dog=5
judged cifar-net animals '[0-9.]+' "\"n\":4,.*$none"
refuse 1 '--labels number' eval numbers-net --data animals
folder animals-net-data/train airplane=0 bird=2 cat=3 deer=4 dog=5 frog=6 horse=7 automobile=1
run 0 train colour.lua --data animals-net-data --max-steps 0 --out animals-net
run 0 predict animals-net --data named --logits logits # frog comes before horse, automobile after airplane: the order of the files
answered "0 1 2 3 4 5 6 7"

# The test of a run has classes of its own: fewer, others, or none that are learned.
folder mixed/train apple=0 fig=1 kiwi=2
folder mixed/test kiwi=2 lime=0 melon=0 nut=0
run 0 train pixel.lua --data mixed --epochs 1 --out mixed-run
in_err '^model .* 3 classes$'
in_err '^ +6 of the 8 images of mixed are of 3 unknown classes and do not count: lime, melon, nut$'
in_out '^test accuracy 100.00 % after the last epoch'
run 0 train --resume mixed-run --epochs 2
rm -r mixed/test
folder mixed/test kiwi=2
run 0 train pixel.lua --data mixed --epochs 1 --out mixed-run
in_out '^test accuracy 100.00 % after the last epoch'
rm -r mixed/test
folder mixed/test unsorted=0
run 0 train pixel.lua --data mixed --epochs 1 --out mixed-run
in_err 'mixed/test: [0-9]+ images in none of the classes that are trained on'
rm -r mixed
folder mixed/train apple=0
refuse 1 'mixed holds only one class, apple; a network needs at least two' train pixel.lua --data mixed --out x
[ ! -e x ] || fail "a start that failed left a folder"
judged net mixed 1 "$none"
echo ok
