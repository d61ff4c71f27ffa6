# test_shortage.sh: what a driver lacks when memory is made, filled or launched with is device memory: steps in parts go on. What it lacks
# to make a kernel is not. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
idx set train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/')
"$skipper" devices | grep -q '^\* ' || exit 77
export SKIPPER_CACHE=$dir/cache
run 0 train tiny.lua --data set --max-steps 1 --out run # kernels are in the cache now, and are trusted

# Some loaders know no layers.
export OPENCL_LAYERS=${SKP_BINARY_DIR:?}/tests/libfault_layer.so FAULTS_LOG=$dir/faults
FAULTS=clFlush=-5 "$skipper" train tiny.lua --data set --max-steps 1 --out run >out 2>err
[ -s faults ] || exit 77

# CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY: while a step is planned, and at its first kernels.
for code in -4 -5 -6; do
  for call in clCreateBuffer@7-7 clEnqueueFillBuffer@7-7 clCreateSubBuffer@2-2 clEnqueueNDRangeKernel@1-1 clEnqueueNDRangeKernel/sgd@1-1; do
    rm faults
    FAULTS=$call=$code run 0 train tiny.lua --data set --max-steps 3 --out run
    [ -s faults ] || fail "$call was never called"
    in_err 'not enough memory for a whole step: its images go through the network 32 at a time'
    in_out 'epoch 1 ended after 3 of 10 steps'
  done
done

# Nor has such a step changed anything before it went on in parts: running statistics, too, are those of parts from the start.
cat >bn.lua <<'END'
return {input = {channels = 1, size = 28}, recipe = {batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1, momentum = 0.9},
  network = function(x) return nn.linear(nn.flatten(nn.relu(nn.batchnorm2d(nn.conv2d(x, 4, {kernel = 3, padding = 1})))), 10) end}
END
run 0 train bn.lua --data set --max-steps 3 --accumulate 2 --out parts
for call in conv2d*@2-2 all_finite*@1-1 sgd@1-1; do
  rm -rf run
  FAULTS=clEnqueueNDRangeKernel/$call=-5 run 0 train bn.lua --data set --max-steps 3 --out run
  in_err 'its images go through the network 32 at a time'
  cmp <(tail -c 125704 parts/last.safetensors) <(tail -c 125704 run/last.safetensors) || fail "$call: other weights" # their 31,426 numbers
done

# A kernel that cannot be made is none for lack of memory: another method takes its place, or it is named.
for code in -4 -5 -6; do
  FAULTS=clCreateKernel/softmax*=$code refuse 4 'clCreateKernel softmax[a-z_]* on .*: CL_' train tiny.lua --data set --max-steps 3 --out run
  not_in_err 'memory for a whole step|smaller --batch'
done

# Before there is anything in the device's memory no smaller batch helps.
for call in clCreateContext clCreateCommandQueue; do
  FAULTS=$call=-6 refuse 4 "$call on .*: CL_OUT_OF_HOST_MEMORY. Other programs have taken" train tiny.lua --data set --max-steps 3 --out run
done

# It lacks later on: the run ends, and what it saved is whole; nothing is written into memory that was given back.
for call in clEnqueueNDRangeKernel clEnqueueMarkerWithWaitList clFlush clEnqueueReadBuffer clSetEventCallback; do
  for code in -4 -5 -6; do
    rm -rf run now
    FAULTS=$call@20-20=$code FAULTS_WHEN=$dir/now MALLOC_PERTURB_=85 "$skipper" train tiny.lua --data set --epochs 1000000 --out run >out 2>err </dev/null &
    pid=$!
    until [ -f run/state.safetensors ]; do kill -0 $pid || fail "the run ended by itself"; sleep 0.05; done
    touch now
    wait $pid
    [ $? = 4 ] || fail "$call=$code: not status 4"
    called="$call=$code"
    in_err "$call .*on .*: CL_"
    env -u FAULTS "$skipper" train --resume run --epochs 1 >out 2>err || fail "the run cannot go on"
  done
done
echo ok
