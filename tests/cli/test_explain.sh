# test_explain.sh: predict --explain: on what a prediction rests. SPDX-License-Identifier: MIT
. "$(dirname "$0")/lib.sh"

# In class a the pixel at the upper left is white, in class b none is.
mkdir -p set/train/a set/train/b set/test/a set/test/b
for i in 1 2 3 4; do
  bmp 0 >set/train/a/$i.bmp
  bmp 16 >set/train/b/$i.bmp
done
bmp 0 >set/test/a/1.bmp
bmp 16 >set/test/b/1.bmp
cat >small.lua <<'END'
return {input = {channels = 1, size = 4}, recipe = {batch = 8, epochs = 60, lr = 0.5, data = "set"},
  network = function(x) return nn.linear(nn.flatten(x), 2, {name = "fc"}) end}
END
run 0 train small.lua --data set --out run --backend reference
run 0 predict run set/test/a/1.bmp set/test/b/1.bmp --explain why --backend reference
in_out '^set/test/a/1.bmp: a '
in_err 'why/1-1.png'
for file in why/1-1.png why/2-1.png; do [ "$(head -c 4 $file | tail -c 3)" = PNG ] || fail "$file is no PNG"; done
# What cannot be read keeps nothing from the others.
echo none >broken.bmp
run 3 predict run set/test/a/1.bmp broken.bmp set/test/b/1.bmp --explain rest --backend reference
in_err 'broken.bmp'
in_err '1 of 3 images could not be read'
[ "$(echo rest/*)" = "rest/1-1.png rest/3-1.png" ] || fail "explained: $(echo rest/*)"
refuse 2 'are for images' predict run --data set --logits l.safetensors --explain why
if ! command -v python3 >/dev/null; then
  echo "skipped: no Python that reads the picture"
  exit 77
fi
python3 - why/1-1.png <<'END' || fail "the picture does not show the white pixel as what counts"
import struct, sys, zlib
data, at, pixels = open(sys.argv[1], 'rb').read(), 8, b''
while at < len(data):
    n, kind = struct.unpack('>I4s', data[at:at + 8])
    if kind == b'IHDR': W, H = struct.unpack('>II', data[at + 8:at + 16])
    if kind == b'IDAT': pixels += data[at + 8:at + 8 + n]
    at += 12 + n
raw, stride, rows, last = zlib.decompress(pixels), 3 * W, [], [0] * (3 * W)
def paeth(a, b, c):
    p = a + b - c
    return min((a, b, c), key=lambda v: abs(p - v))
for h in range(H):
    kind, line, row = raw[h * (stride + 1)], raw[h * (stride + 1) + 1:(h + 1) * (stride + 1)], []
    for i, v in enumerate(line):
        a, b, c = (row[i - 3] if i >= 3 else 0), last[i], (last[i - 3] if i >= 3 else 0)
        row.append((v + (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) & 255)
    rows.append(row)
    last = row
assert H == W == 224, (H, W)
def red(h, w): return rows[h][3 * w] - rows[h][3 * w + 2]
assert red(20, 20) > 100, 'the white pixel is not red'
assert all(abs(red(h, w)) < 10 for h, w in ((200, 200), (120, 200), (200, 60))), 'others are'
END
