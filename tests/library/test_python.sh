# test_python.sh: the Python package, where there are Python and NumPy. SPDX-License-Identifier: MIT
. "${SKP_SOURCE_DIR:?}/tests/cli/lib.sh" || exit 1
python3 -c 'import numpy' 2>/dev/null || { echo "skipped: no Python with NumPy"; exit 77; }
export SKIPPER_LIBRARY=$SKP_BINARY_DIR/libskipper.so SKIPPER_BACKEND= PYTHONDONTWRITEBYTECODE=1

# A wheel is made without a network, and works where it is unpacked.
cp -r "$SKP_SOURCE_DIR/bindings" "$SKP_SOURCE_DIR/include" . # pip leaves traces where it builds
if python3 -m pip --version >out 2>err; then
  PIP_NO_INDEX=1 python3 -m pip wheel -q -w wheels bindings/python >out 2>err || fail "pip wheel"
else # what pip calls
  mkdir wheels
  (cd bindings/python && python3 -c 'import build_wheel; build_wheel.build_wheel("../../wheels")') >out 2>err || fail "build_wheel"
fi
python3 -m zipfile -e wheels/skipper-*.whl unpacked || fail "the wheel cannot be unpacked"
export PYTHONPATH=$dir/unpacked SKP_PROGRAM=$skipper

# The structs are the compiler's.
python3 - >layout.c <<'END_OF_PYTHON' || fail "the package cannot be imported"
import ctypes
from skipper import _library
print("#include <skipper/tools.h>\n#include <stddef.h>\n#include <assert.h>\nint main(void) {")
for struct in vars(_library).values():
    if isinstance(struct, type) and issubclass(struct, ctypes.Structure) and hasattr(struct, "_fields_"):
        name = struct.__name__
        print(f'static_assert(sizeof({name}) == {ctypes.sizeof(struct)}, "size of {name}");')
        for field, *_ in struct._fields_:
            at = getattr(struct, field)
            print(f'static_assert(offsetof({name}, {field}) == {at.offset} && sizeof((({name} *)0)->{field}) == {at.size}, "{name}.{field}");')
print("return 0; }")
END_OF_PYTHON
for struct in $(grep -o '^} skp_[a-z_]*;' "$SKP_SOURCE_DIR/include/skipper/skipper.h" | grep -oE 'skp_[a-z_]+' | grep -vE '^skp_(part|[a-z]+_kind)$'); do
  grep -q "size of $struct\"" layout.c || fail "the package does not declare $struct of skipper.h"
done
"$CC" -std=c11 -I "$SKP_SOURCE_DIR/include" layout.c -o layout >out 2>err || fail "the package declares other structs than the headers"

python3 "$SKP_SOURCE_DIR/tests/library/use_package.py" >out 2>err || fail "use_package.py"
