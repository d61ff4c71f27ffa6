# test_opencl.sh: the Nth call of each kind into the driver fails once, with each code that drivers give for it, during a short training.
# It ends with status 0 and sound weights or with status 4 and a text; what it saved is whole and goes on. FAULT_STRIDE=1: each N, all
# codes. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
"$skipper" devices | grep -q '^\* ' || exit 77
idx set train 96 28 $(seq 0 95 | sed 's/.*\(.\)/\1/')
stride=${FAULT_STRIDE:-97}
export SKIPPER_CACHE=$dir/cache
options="--data set --batch 16 --epochs 1 --save-every 2steps"
run 0 train tiny.lua $options --out whole # kernels are in the cache now, and are trusted

# Some loaders know no layers.
layer=${SKP_BINARY_DIR:?}/tests/libfault_layer.so
OPENCL_LAYERS=$layer FAULTS_LOG=$dir/faults FAULTS=clFlush=-5 "$skipper" train tiny.lua $options --out run >out 2>err
[ -s faults ] || exit 77

# Allocation failed, out of resources, out of host memory, a dead queue, NVIDIA's for a bad access.
codes="-5"
[ "$stride" -gt 1 ] || codes="-4 -5 -6 -36 -9999"
for call in clCreateContext clCreateCommandQueue clCreateBuffer clCreateSubBuffer clCreateProgramWithBinary clCreateProgramWithSource \
  clBuildProgram clGetProgramInfo clCreateKernel clGetKernelWorkGroupInfo clSetKernelArg clEnqueueNDRangeKernel clEnqueueFillBuffer \
  clEnqueueReadBuffer clEnqueueWriteBuffer clEnqueueMarkerWithWaitList clSetEventCallback clFlush clReleaseMemObject clReleaseEvent \
  clReleaseKernel clReleaseProgram clReleaseCommandQueue clReleaseContext; do
  tried=0 ended=0
  for code in $codes; do
    for ((n = 1; ; n += stride)); do
      rm -rf run faults
      case $call in clCreateProgramWithSource | clGetProgramInfo) rm -rf "$SKIPPER_CACHE" ;; esac # else all are there, compiled
      got=0
      called="FAULTS=$call@$n-$n=$code skipper train"
      (timeout "${SKP_RUN_SECONDS:-300}" env OPENCL_LAYERS="$layer" FAULTS_LOG="$dir/faults" FAULTS="$call@$n-$n=$code" "$skipper" train tiny.lua $options --out run \
        >out 2>err </dev/null; exit $?) 2>/dev/null || got=$?
      [ -s faults ] || break # there are no more calls of this kind
      tried=$((tried + 1))
      case $got in
      0) ;;
      4)
        ended=$((ended + 1))
        grep -q '^skipper train: .' err || fail "$called: nothing is said"
        ;;
      *) fail "$called: status $got" ;;
      esac
      [ -z "$(find . -name '*.tmp')" ] || fail "$called: left behind: $(find . -name '*.tmp')"
      # What is saved is whole, and the run goes on from it; a whole one is done.
      if [ -e run/state.safetensors ]; then
        after=$called
        run 0 train --resume run
        [ "$(grep -c '^{"step":' run/log.jsonl)" = 6 ] || fail "$after, then $called: log.jsonl lacks steps"
        tail -1 run/results.csv | awk -F, '{ exit !($3 > 1 && $3 < 4) }' || fail "$after, then $called: $(tail -1 run/results.csv)"
      else
        [ $got = 4 ] || fail "$called: nothing was saved"
      fi
    done
  done
  [ $tried -gt 0 ] || fail "$call was never called"
  echo "$call: $tried calls failed, $ended ended the run"
done
