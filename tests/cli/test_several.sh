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

# What is wrong with one of them is said of that one.
refuse 1 "'nowhere' is neither" train pixel.lua --data home --data nowhere
idx numbers train 3 4 0 1 2
refuse 3 'The labels of numbers are mere numbers, and the classes of home have names' train pixel.lua --data home --data numbers
