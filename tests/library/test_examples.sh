# test_examples.sh: the programs of examples/ do what they say. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
examples=$SKP_BINARY_DIR/examples
picture=$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png

# say STATUS PROGRAM WORD…
say() {
  local want=$1 got=0 program=$2
  shift 2
  called="$program $*"
  timeout "${SKP_RUN_SECONDS:-300}" "$examples/$program" "$@" >out 2>err || got=$?
  [ "$got" = "$want" ] || fail "$called: exit status $got, not $want"
}
# at_least NUMBER: the accuracy in the last call's output.
at_least() {
  awk -v least="$1" '{ for (i = 1; i < NF; i++) if ($i ~ /accuracy$/) last = $(i + 1) + 0 } END { exit !(last >= least) }' out ||
    fail "$called: the accuracy is below $1"
}

[ "$(wc -l <"$SKP_SOURCE_DIR/examples/train_mnist.c")" -le 40 ] || fail "train_mnist.c is longer than 40 lines"
say 0 train_mnist
in_out '^epoch 2: '
in_out '^10000 test images'
at_least 0.6
say 0 classify mnist.safetensors "$picture" "$picture"
in_out "^$picture: class ([0-9]), \1, [0-9.]+ %"
[ "$(wc -l <out)" = 2 ] || fail "$called: not one line a picture"
say 1 classify mnist.safetensors no-such.png
in_err 'no-such.png'
say 1 classify no-such.safetensors "$picture"
in_err 'no-such.safetensors'
say 2 classify
say 1 train_mnist no-such-folder
in_err "'no-such-folder' is neither a folder nor"

say 0 build_model stripes.safetensors
in_out 'stem.weight has 72 values'
at_least 0.9
say 0 classify stripes.safetensors "$picture"
in_out 'class [01], (lying|standing), '
run 0 predict stripes.safetensors "$picture" # the program takes what the library wrote
in_out '(lying|standing)'
