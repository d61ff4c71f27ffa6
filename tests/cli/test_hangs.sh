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
  FAULTS=$fault=hang SKIPPER_TIMEOUT=0.5 run 4 train tiny.lua --data set --max-steps 2 --out run
  in_err "^skipper train: ${fault%%/*} .*on .* has not returned for 0.5 s \(SKIPPER_TIMEOUT\)"
  case $fault in */*) in_err "${fault%%/*} ${fault##*/} on " ;; esac
done

# Work that is never done.
FAULTS=clSetEventCallback@5=drop SKIPPER_TIMEOUT=0.5 run 4 train tiny.lua --data set --max-steps 20 --out run
in_err 'did not finish within 0.5 s \(SKIPPER_TIMEOUT\)'

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
