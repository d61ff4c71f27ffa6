"""program.py: calling Skipper, whose path is a script's first argument, for the scripts beside it. SPDX-License-Identifier: MIT"""
import os, subprocess, sys, tempfile

program = os.path.abspath(sys.argv[1])


def skipper(*words):
    """What it said, as stdout and stderr of what is returned. The script ends where Skipper fails."""
    done = subprocess.run([program, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"skipper {' '.join(words)}: exit status {done.returncode}\n{done.stderr}")
    return done


def in_folders(check, names):
    """Calls check(name) for each name, in a folder of its own that is the present one and goes afterwards."""
    for name in names:
        with tempfile.TemporaryDirectory(prefix='skipper-interop-') as folder:
            os.chdir(folder)
            check(name)
            os.chdir('/')
