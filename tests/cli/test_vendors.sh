# test_vendors.sh: ranks whose devices round differently, each under another driver, train one network, with the same bits each time.
# Plain C and the best device always do; SKP_VENDORS demands so many OpenCL drivers beside them. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
. "$SKP_SOURCE_DIR/tests/cli/mpi.sh" || exit 1
unset SKIPPER_PLATFORM SKIPPER_DEVICE SKIPPER_BACKEND
idx set train 330 28 $(seq 0 329 | sed 's/.*\(.\)/\1/')
idx set t10k 31 28 $(seq 0 30 | sed 's/.*\(.\)/\1/')

# Rank r has the words of WORDSr besides.
cat >each.sh <<END
words=WORDS\$OMPI_COMM_WORLD_RANK
exec "$skipper" "\$@" \${!words}
END
# pair STATUS WORD…
pair() {
  local want=$1 got=0
  shift
  called="mpirun -n 2 skipper $*, with $WORDS0 and $WORDS1"
  timeout 300 mpirun -n 2 --bind-to none bash each.sh "$@" >out 2>err </dev/null || got=$?
  [ $got = "$want" ] || fail "$called: exit status $got, not $want"
}

# Moments, averages and a clipped norm: all that devices may round otherwise. What rank 1 remembers of them is not saved and must not
# count: a run that goes on, in which it has those of rank 0, has the bits of an undisturbed one.
views="--data digits --crop-padding 2 --flip --mixup 0.3 --seed 3"
update="$views --optimizer adam --lr 0.01 --weight-decay 0.01 --clip-norm 0.1 --ema 0.9"
pairs=0
train_together() {
  export WORDS0=$1 WORDS1=$2
  # The losses of one device, but for rounding: by an optimizer that does not make steps of what is nothing but rounding.
  run 0 train norms.lua $views --max-steps 12 --out one $1
  pair 0 train norms.lua $views --max-steps 12 --sync-bn --shares 3:1 --out two
  near one two 1e-5
  for out in two again; do
    pair 0 train norms.lua $update --max-steps 24 --sync-bn --shares 3:1 --out $out
    in_err '^weights  of all ranks are those of the first'
  done
  cmp two/last.safetensors again/last.safetensors || fail "$called: not the same bits twice"
  pair 0 train norms.lua $update --max-steps 8 --sync-bn --shares 3:1 --out parts
  for steps in 16 24; do pair 0 train --resume parts --max-steps $steps; done
  cmp two/last.safetensors parts/last.safetensors || fail "$called: a run that goes on has other bits"
  # Whole epochs, the averages being judged; the shares are measured.
  pair 0 train norms.lua --data set --batch 64 --epochs 2 --ema 0.9 --out epochs
  in_err '^shares   [0-9]+:[0-9]+ images of a step, by '
  pair 0 train --resume epochs --epochs 3
  run 0 eval epochs --data set
  pairs=$((pairs + 1))
}

# The platforms that have a device, by their first one.
platforms() { "$skipper" devices --json | tr '{' '\n' | sed -n 's/^"platform":\([0-9]*\),"device":0,.*"usable":true.*/\1:0/p'; }
mapfile -t device < <(platforms)
train_together "--device ${device[0]:?}" "--backend reference"
for other in "${device[@]:1}"; do train_together "--device ${device[0]}" "--device $other"; done

# By themselves they take different ones of a kind.
cpus=$("$skipper" devices --json | grep -o '"type":"CPU"' | wc -l)
export WORDS0= WORDS1=
pair 0 train tiny.lua --device cpu --data digits --max-steps 6 --out own
if [ "$cpus" -gt 1 ]; then in_err '^weights  of all'; else not_in_err '^weights  of all'; fi

# A driver that has nothing to offer in one rank ends the run in words.
WORDS0="--device ${device[0]}" WORDS1="--device 77:0"
pair 4 train tiny.lua --data digits --max-steps 6 --out none
in_err 'Rank 1 of 2 \(on .*\) ended: No usable device matches .*77:0'
[ ${#device[@]} -ge "${SKP_VENDORS:-1}" ] || fail "of ${SKP_VENDORS} drivers there are ${#device[@]}: ${device[*]}"
[ ${#device[@]} -gt 1 ] || echo "There is one OpenCL driver: it trained with plain C alone."
echo "$pairs passed, 0 failed"
