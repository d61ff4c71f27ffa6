# Names, texts and errors by strangers neither steer the terminal nor break lines nor are formulas to a spreadsheet.
# SPDX-License-Identifier: MIT
. "$SKP_SOURCE_DIR/tests/cli/lib.sh"

# harmless FILE…: no control characters but line ends and tabs, C1 (also as UTF-8) included; all of it is UTF-8.
harmless() {
  for f; do
    ! LC_ALL=C grep -Pq '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' "$f" || fail "$called: $f has control characters"
    iconv -f UTF-8 -t UTF-8 "$f" >/dev/null || fail "$called: $f is no UTF-8"
  done
}

# Classes, folders and pictures by any names.
escape=$'new\n\033[31mline' c1=$'\302\2332J' right=$'\342\200\256gnp'
mkdir -p "single/$escape" "single/=cmd|' C calc'!A0" "single/$c1" "single/-5"
for k in 0 1 2 3; do
  bmp $k >"single/$escape/$k$right.bmp"
  bmp $((k + 4)) >"single/=cmd|' C calc'!A0/+$k.bmp"
  bmp $((k + 8)) >"single/$c1/$k.bmp"
  bmp $((k + 12)) >"single/-5/$k.bmp"
done
printf 'no picture' >"single/$escape/$c1.bmp"
cat >four.lua <<'END2'
return {
  input = {channels = 3, size = 4},
  recipe = {batch = 4, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(x), 4, {name = "fc"}) end,
}
END2
run 0 train four.lua --data single --valid-split 0 --out run
harmless out err run/*.json* run/*.csv
in_err 'x1B\[31mline'
in_err 'passed over'
run 0 eval run/last.safetensors --data single --report report
harmless out err report/*.csv
in_out 'xC2.x9B2J'
grep -q "^\"'=cmd|' C calc'!A0\"," report/classes.csv || fail "a formula stands in classes.csv"
grep -q '^-5,' report/classes.csv || fail "a number does not stay a number in classes.csv"
# A page, which is no spreadsheet, shows such names as they are, and their images.
mkdir parted
cp -r single parted/train
cp -r single parted/test
run 0 train four.lua --data parted --out parted-run
grep -q "^[0-9]*,\"'=cmd|" parted-run/worst.csv || fail "a formula stands in worst.csv"
run 0 report parted-run --out page.html
in_file page.html "<td>=cmd|' C calc'!A0<"
not_in_file page.html "'=cmd"
[ "$(grep -o '<figure class=picture>' page.html | wc -l)" = 16 ] || fail "the page lacks images of such names"
run 1 predict run single/* --top 2
harmless out err
[ "$(wc -l <out)" = 16 ] || fail "$called: a name broke the line"
[ "$(wc -l <err)" = 2 ] || fail "$called: an error is no line"
run 1 predict run single/* --json
harmless out err
in_out '\\u000a\\u001b\[31mline|\\n\\u001b\[31mline'
in_out '\\u202egnp'

# Model files: what they print, what they fail with, names they give.
printf 'print("a\\27[2Jb\\194\\155", "c\\nd")\nerror("\\27]0;title\\7\\rskipper: done")\n' >print.lua
run 1 summary print.lua
harmless out err
in_err '^a.x1B\[2Jb.xC2.x9B	c$'
in_err '^d$'
in_err 'x1B\]0;title.x07.x0Dskipper: done'
printf 'error("\\nskipper: done")\n' >lines.lua
run 1 summary lines.lua
not_in_err '^skipper: done'
printf 'return {network = function(x) return nn.linear(nn.flatten(x), 10, {name = "f\\27c"}) end}\n' >named.lua
run 1 summary named.lua
harmless out err

# Tensors of a file by others.
header='{"a\u001b[2J\u009b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"fc.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
{ le32 ${#header}; le32 0; printf '%s' "$header"; le32 0; le32 0; } >other.safetensors
run 1 train tiny.lua --init other.safetensors --max-steps 0 --out init
harmless out err

# A checkpoint by others, whose metadata give its classes such names.
mkdir -p plain/letters plain/b
for k in 0 1 2 3; do bmp $k >plain/letters/$k.bmp; bmp $((k + 4)) >plain/b/$k.bmp; done
run 0 train four.lua --data plain --valid-split 0 --out plain-run
sed 's/letters/\\\\u001b/' plain-run/last.safetensors >odd.safetensors
run 0 predict odd.safetensors plain/b/0.bmp plain/b/1.bmp --top 4
harmless out err
in_out 'x1B'

# A file that is not there.
run 1 predict run "$(printf 'no\033[2Jsuch\302\233file.png')"
harmless out err
exit 0
