# plot.awk: training losses of results.csv files as an SVG: plain networks on the left, residual ones on the right.
# usage: awk -f plot.awk depth{20,56}-shortcuts-{no,yes}/results.csv >figure.svg      SPDX-License-Identifier: MIT

BEGIN { FS = "," }
FNR == 1 {
  for (i = 1; i <= NF; i++) column[$i] = i
  curve = ++curves
  match(FILENAME, /depth[0-9]+/)
  depth[curve] = substr(FILENAME, RSTART + 5, RLENGTH - 5)
  panel[curve] = FILENAME ~ /shortcuts-yes/
  next
}
{
  points[curve]++
  loss[curve, points[curve]] = $column["train_loss"]
  if (points[curve] > epochs) epochs = points[curve]
  if ($column["train_loss"] > top) top = $column["train_loss"]
  if (!bottom || $column["train_loss"] < bottom) bottom = $column["train_loss"]
}

function x(p, epoch) { return 60 + 340 * p + 290 * (epoch - 1) / (epochs > 1 ? epochs - 1 : 1) }
function y(l) { return 270 - 230 * (l - bottom) / (top - bottom) }
function text(at_x, at_y, anchor, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, words
}

END {
  top = int(top * 5 + 1) / 5 # the next fifths around
  bottom = int(bottom * 5) / 5
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 710 320\" font-family=\"sans-serif\" font-size=\"13\">"
  print "<rect width=\"710\" height=\"320\" fill=\"white\"/>"
  for (p = 0; p < 2; p++) {
    for (l = bottom; l < top + 0.1; l += 0.2) {
      printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", x(p, 1), y(l), x(p, epochs), y(l)
      text(x(p, 1) - 8, y(l) + 4, "end", sprintf("%.1f", l))
    }
    for (e = 1; e <= epochs; e += epochs > 20 ? 5 : 1) text(x(p, e), 288, "middle", e)
    text(x(p, 1) + 145, 24, "middle", p ? "with shortcuts (residual)" : "without shortcuts (plain)")
    text(x(p, 1) + 145, 308, "middle", "epoch")
  }
  printf "<text transform=\"translate(18 155) rotate(-90)\" text-anchor=\"middle\">training loss</text>\n"
  for (c = 1; c <= curves; c++) {
    colour = depth[c] > 20 ? "#c0392b" : "#2471a3"
    printf "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"", colour
    for (e = 1; e <= points[c]; e++) printf "%.1f,%.1f ", x(panel[c], e), y(loss[c, e])
    print "\"/>"
    printf "<g fill=\"%s\">", colour
    text(x(panel[c], 1) + 10, 245 + 17 * (depth[c] > 20), "start", depth[c] " layers: " sprintf("%.2f", loss[c, points[c]]) " in the end")
    print "</g>"
  }
  print "</svg>"
}
