# test_hangs.sh: a driver that does not come back: whatever call it is, it is named, the program ends, and what was saved is whole. A pause
# is no hang. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
idx set train 640 28 $(seq 0 639 | sed 's/.*\(.\)/\1/')
"$skipper" devices | grep -q '^\* ' || exit 77
export SKIPPER_CACHE=$dir/cache
run 0 train tiny.lua --data set --max-steps 1 --out run # kernels are in the cache now

# Some loaders know no layers.
export OPENCL_LAYERS=${SKP_BINARY_DIR:?}/tests/libfault_layer.so FAULTS_LOG=$dir/faults
FAULTS=clFlush=-5 "$skipper" train tiny.lua --data set --max-steps 1 --out run >out 2>err
[ -s faults ] || exit 77

# Every call that can block: what it is, for which kernel, and status 4.
for fault in clCreateContext clCreateCommandQueue clCreateBuffer clEnqueueFillBuffer clCreateProgramWithBinary clBuildProgram \
  clCreateKernel/sgd clSetKernelArg clGetKernelWorkGroupInfo clEnqueueWriteBuffer clEnqueueNDRangeKernel/sgd clEnqueueMarkerWithWaitList \
  clFlush clSetEventCallback clEnqueueReadBuffer clReleaseEvent clReleaseKernel clReleaseMemObject clReleaseProgram \
  clReleaseCommandQueue clReleaseContext; do
  for limit in 0.5 5; do # a busy machine may take the shorter time for another call
    FAULTS=$fault=hang SKIPPER_TIMEOUT=$limit run 4 train tiny.lua --data set --max-steps 2 --out run
    ! grep -q "^skipper train: ${fault%%/*} " err || break
  done
  in_err "^skipper train: ${fault%%/*} .*on .* has not returned for $limit s \(SKIPPER_TIMEOUT\)"
  case $fault in */*) in_err "${fault%%/*} ${fault##*/} on " ;; esac
done

# Work that is never done.
FAULTS=clSetEventCallback@5=drop SKIPPER_TIMEOUT=0.5 run 4 train tiny.lua --data set --max-steps 20 --out run
in_err 'did not finish within 0.5 s \(SKIPPER_TIMEOUT\)'

# Compilers that crash or never end are other processes: a line, another method, or an error.
cat >conv.lua <<'END'
return {
  input = {channels = 1, size = 28},
  recipe = {data = "digits", batch = 64, epochs = 1, optimizer = "sgd", lr = 0.1},
  network = function(x) return nn.linear(nn.flatten(nn.conv2d(x, 4, {kernel = 1})), 10, {name = "fc"}) end,
}
END
export SKIPPER_CACHE=$dir/none
run 0 train conv.lua --data set --max-steps 1 --out run --verbose
method=$(sed -n 's/^conv2d [^:]*: \([a-z_]*\).*/\1/p' err | head -1)
for what in abort:'crashed \(SIGABRT\)' hang:'did not come to an end within 3 s'; do
  rm -rf none
  FAULTS="clBuildProgram/*kernel void conv2d_thin(*=${what%%:*}" SKIPPER_TIMEOUT=3 run 0 train conv.lua --data set --max-steps 1 --out run -v
  [ "$method" != cpu_thin ] || in_err "^The compiler of .* ${what#*:} over cl/conv2d_thin.cl .*: another way is taken where there is one"
  in_err '^conv2d [^:]*: [a-z_]+'
done
rm -rf none
FAULTS=clBuildProgram=abort refuse 4 'The compiler of .* crashed \(SIGABRT\) over cl/' train tiny.lua --data set --max-steps 1 --out run
FAULTS=clBuildProgram=abort SKIPPER_NO_CACHE=1 refuse 4 'crashed \(SIGABRT\) over cl/' train tiny.lua --data set --max-steps 1 --out run
SKIPPER_CACHE=$dir/cache

# start FAULTS: a run in the background, which gets them once it has saved and the file "now" is there.
start() {
  rm -rf run now
  FAULTS=$1 FAULTS_WHEN=$dir/now "$skipper" train tiny.lua --data set --epochs 1000000 --out run >out 2>err </dev/null &
  pid=$!
  until [ -f run/state.safetensors ]; do kill -0 $pid || fail "the run ended by itself"; sleep 0.05; done
}
goes_on() {
  in_err 'What the run saved is whole: skipper train --resume run goes on from there'
  env -u FAULTS "$skipper" train --resume run --epochs 1 >out 2>err || fail "the run cannot go on"
}

# A hang long after the start. One that is to stop is waited for a tenth of the time, 10 s at least.
called="skipper train"
SKIPPER_TIMEOUT=1 start clEnqueueNDRangeKernel=hang
touch now
wait $pid
[ $? = 4 ] || fail "a hang does not end the run"
goes_on
SKIPPER_TIMEOUT=100 start clEnqueueNDRangeKernel=hang
touch now
sleep 0.5
kill -TERM $pid
SECONDS=0
wait $pid
[ $? = 4 ] || fail "a run that hangs cannot be stopped"
[ $SECONDS -lt 60 ] || fail "it took $SECONDS s"
in_err 'Stopping after this step'
in_err 'has not returned for 10 s'
goes_on

# A pause is no hang, however long, wherever the run is.
SKIPPER_TIMEOUT=1 start ""
for pause in 1 2 3 4 5; do
  kill -STOP $pid
  sleep 1.5
  kill -CONT $pid
  sleep 0.1$pause
done
kill -TERM $pid
wait $pid
[ $? = 143 ] || fail "a pause was taken for a hang"
echo ok
