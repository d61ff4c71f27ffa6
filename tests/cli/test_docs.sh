# test_docs.sh: the examples in docs/models.md and README.md do what the text says. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1

# Each ```lua block becomes a file.
awk '/^```lua$/ { file = sprintf("example%d.lua", ++n); next } /^```$/ { file = ""; next } file { print >file }' "$SKP_SOURCE_DIR/docs/models.md"
[ -f example5.lua ] || fail "docs/models.md has fewer than 5 examples"
for example in example*.lua; do
  run 0 summary "$example"
  in_out '^total'
  sed -n 's/.*--> //p' "$example" >promised
  cat out err >both
  while IFS= read -r line; do grep -Fxq -- "$line" both || fail "$example: print does not say \"$line\""; done <promised
done
run 0 summary example3.lua --set blocks=5
in_out '^block5\.conv2 '
run 0 train example5.lua --backend reference --max-steps 1 --out run

# The first model in README.md is the one that is shipped.
awk '/^```lua$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$SKP_SOURCE_DIR/README.md" >shown.lua
cmp shown.lua "$models/identity.lua" || fail "README.md shows another models/identity.lua"

# The figure of plain and residual networks is what its script draws from the results beside it.
figure=$SKP_SOURCE_DIR/docs/plain-vs-residual
awk -f "$figure/plot.awk" "$figure"/results/*.csv | cmp - "$figure/figure.svg" || fail "docs/plain-vs-residual/figure.svg is not what plot.awk draws"
