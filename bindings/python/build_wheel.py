"""Makes the wheel: pip's build backend (PEP 517) for a package of plain Python files. SPDX-License-Identifier: MIT

The version is that of the header, so that they cannot differ."""
import base64
import hashlib
import os
import re
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "skipper"


def _read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


def _version():
    return re.search(r'SKP_VERSION +"(.*)"', _read("..", "..", "include", "skipper", "version.h")).group(1)


def _metadata(version):
    return (f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\nLicense: MIT\nRequires-Python: >=3.9\n"
            "Summary: Skipper from Python: trains residual networks on any OpenCL device\n"
            f"Description-Content-Type: text/markdown\n\n{_read('README.md')}")


def _sources():
    return sorted(name for name in os.listdir(os.path.join(HERE, PACKAGE)) if name.endswith(".py"))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = _version()
    info = f"{PACKAGE}-{version}.dist-info"
    files = {f"{PACKAGE}/{name}": _read(PACKAGE, name) for name in _sources()}
    files[f"{info}/METADATA"] = _metadata(version)
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: build_wheel.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = f"{PACKAGE}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return wheel
