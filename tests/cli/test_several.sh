# test_several.sh: --data given several times, sets that are trained on and tested with as one. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
export SKIPPER_BACKEND=reference

pixel_net 'batch = 4, epochs = 2, lr = 1e-6'
mkdir -p home/{train,test}/{apple,pear} away/train/{fig,pear} elsewhere
bmp 0 >home/train/apple/a.bmp; bmp 1 >home/train/pear/b.bmp; bmp 0 >home/test/apple/a.bmp; bmp 1 >home/test/pear/b.bmp
bmp 1 >away/train/pear/c.bmp; bmp 2 >away/train/fig/d.bmp
printf 'path,label\nhome/train/apple/a.bmp,apple\nhome/train/pear/b.bmp,pear\n' >list.csv

# The images of all; classes of one name are one, and the test images are those of the set that has some.
run 0 train pixel.lua --data home --data away --out net
in_err '^data +home \+ away: 4 images to train on, 2 to test with, 3 classes'
[ "$(head -1 net/confusion.csv)" = 'class,apple,pear,fig' ] || fail "classes: $(head -1 net/confusion.csv)"
run 0 train pixel.lua --data 'home + away' --out joined
same net joined
run 0 eval net --data away --data list.csv
in_out 'accuracy 100.00 %'
in_out ' 4 images'

# Resumed they are found again, from another folder, too; so is a list.
run 0 train pixel.lua --data home --data away --max-steps 1 --out cut
cp -r cut moved
run 0 train pixel.lua --data list.csv --valid-split 0 --max-steps 1 --out listed
run 0 train --resume cut --max-steps 2
same net cut
cd elsewhere || exit 1
run 0 train --resume ../moved --max-steps 2
run 0 train --resume ../listed --max-steps 2
cd .. || exit 1
mv away gone
refuse 6 'no longer in .*home \+ .*away' train --resume cut --epochs 3

# Images of two sets that are called alike are told apart, and found again.
cp -r home twin
run 0 train pixel.lua --data home --data twin --out alike
in_file alike/worst.csv ',home: apple/a.bmp,' ',twin: apple/a.bmp,'
run 0 report alike --out page.html
[ "$(grep -o '<figure class=picture>' page.html | wc -l)" = 4 ] || fail "not the 4 pictures that judged"

# With none that judge a tenth of each class is held out, as of one set of them.
mkdir -p much/{apple,pear}
for k in {0..4}; do bmp 0 >much/apple/$k.bmp; bmp 1 >much/pear/$k.bmp; done
printf 'path,label\n' >more.csv
for k in {0..4}; do printf 'much/apple/%d.bmp,apple\nmuch/pear/%d.bmp,pear\n' "$k" "$k"; done >>more.csv
run 0 train pixel.lua --data much --data more.csv --out held
in_err '^data +much \+ more.csv: 18 images to train on, 2 to judge by \(left out of the training'

# What is called as two of them are together would be taken for them.
mkdir 'home + much' && cp -r home/* 'home + much'
refuse 2 '"home \+ much" is there, too, .*--data ./much' train pixel.lua --data away --data home --data much
run 0 train pixel.lua --data home --data ./much --max-steps 1 --out both
in_err '^data +home \+ ./much: 12 images'

# What is wrong with one of them is said of that one.
refuse 1 "'nowhere' is neither" train pixel.lua --data home --data nowhere
idx numbers train 3 4 0 1 2
refuse 3 'The labels of numbers are mere numbers, and the classes of home have names' train pixel.lua --data home --data numbers
