# test_csv.sh: --data FILE.csv, a list of pictures: trained on, tested with, asked about. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

pixel_net 'batch = 8, epochs = 1, lr = 1e-6'
mkdir -p lists/photos "lists/more, with a comma" run-from/here
for k in 0 1 2; do
  bmp $k >lists/photos/$k.bmp
  bmp $k >"lists/more, with a comma/$k.bmp"
done
cat >lists/all.csv <<END
Label,note,Path,split
apple,first,photos/0.bmp,train
"fig, ""ripe""",,photos/1.bmp,train
pear,,photos/2.bmp,train
pear,,"more, with a comma/2.bmp",test
apple,,"more, with a comma/0.bmp",test
apple,wrong,$PWD/lists/photos/1.bmp,test
END

# Training and testing, from any folder: paths are relative to where the list lies, or whole.
run 0 train pixel.lua --data lists/all.csv --out net
in_err '^data +lists/all.csv: 3 images to train on, 3 to test with, 3 classes'
[ "$(head -1 net/confusion.csv)" = 'class,apple,"fig, ""ripe""",pear' ] || fail "classes: $(head -1 net/confusion.csv)"
cd run-from/here || exit 1
run 0 eval ../../net --data ../../lists/all.csv
in_out 'accuracy 66.67 %'
in_out 'apple, taken for fig, "ripe"'
cd ../.. || exit 1

# The logits are in the order of the rows of that part, their labels known.
run 0 predict net --data lists/all.csv --logits logits
labels=$(tail -c +$((9 + $(head -c 8 logits | od -An -td8))) logits | head -c 12 | od -An -td4 | xargs) # labels lie before logits
[ "$labels" = "2 0 0" ] || fail "labels: $labels"

# Without a split all are to train on. Line ends of Windows, a mark at the beginning, other names of columns.
{ printf '\357\273\277file,class\r\n'; for k in 0 1 2; do printf 'photos/%d.bmp,class %d\r\n' $k $k; done; } >lists/plain.csv
run 0 train pixel.lua --data lists/plain.csv --valid-split 0 --max-steps 1 --out plain
in_err '3 images to train on, 3 classes'
run 0 train pixel.lua --data lists/plain.csv --valid-split auto --max-steps 1 --out few
in_err 'none to judge by \(too few'
head -c 4000 plain/last.safetensors | grep -aq 'class 2' || fail "the classes are called otherwise"

# A row that lacks something is named, and nothing is begun; a picture that is missing is passed over, and counted.
bad() { # bad PATTERN ROW: this row, behind a good one
  printf 'path,label,split\nphotos/0.bmp,apple,train\n%s\n' "$2" >lists/bad.csv
  refuse 1 "$1" train pixel.lua --data lists/bad.csv --out none
}
bad 'lists/bad.csv, row 3: there is no label' photos/1.bmp,,train
bad 'lists/bad.csv, row 3: the column split says none of train, val and test' photos/1.bmp,fig
bad 'lists/bad.csv, row 3: there is no path' ,fig,train
bad 'lists/bad.csv, row 3: the column split says none of train, val and test' photos/1.bmp,fig,later
printf 'path,split\nphotos/0.bmp,train\n' >lists/bad.csv
refuse 1 'lists/bad.csv has no column label: its first row names the columns' train pixel.lua --data lists/bad.csv --out none
printf 'photos/0.bmp,apple\n' >lists/bad.csv
refuse 1 'lists/bad.csv has no column path' train pixel.lua --data lists/bad.csv --out none
printf 'path,label,split\nphotos/0.bmp,apple,test\n' >lists/bad.csv
refuse 1 'lists/bad.csv lists no pictures to train on' train pixel.lua --data lists/bad.csv --out none
refuse 1 'nowhere.csv' train pixel.lua --data nowhere.csv --out none
[ ! -e none ] || fail "a run that does not begin leaves its folder"
{ cat lists/all.csv; echo apple,,photos/gone.bmp,train; } >lists/gone.csv
run 0 train pixel.lua --data lists/gone.csv --max-steps 1 --out gone
in_err '1 of the 4 images of lists/gone.csv is missing and passed over'
# A list whose rows to test with are of other classes tests nothing; predict asks about pictures, not about a list.
sed 's/^\(.*\),test$/of \1,test/' lists/all.csv >lists/other.csv
run 0 train pixel.lua --data lists/other.csv --max-steps 1 --out other
in_err 'lists/other.csv: 3 images in none of the classes that are trained on: they test nothing$'
# A quote that never closes would hide the rows behind it.
printf 'path,label\nphotos/0.bmp,a\nphotos/1.bmp,"b\nphotos/2.bmp,c\n' >lists/bad.csv
refuse 1 'lists/bad.csv, row 3: the quote that opens there is never closed\.' train pixel.lua --data lists/bad.csv --out none
echo ok
