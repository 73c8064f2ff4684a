"""
Starts one command and writes what it took to a file: `python -I -S spawn.py FILE COMMAND…`.

A process of its own, and a small one: what a new process is said to have used at most begins with what the one that
started it held. It loads next to nothing, so that this is less than any interpreter holds that runs a program.
"""

import os
import sys
import time

out, command = sys.argv[1], sys.argv[2:]
began = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.perf_counter() - began
with open(out, "w") as stream:  # noqa: PTH123 - pathlib is a library too
    stream.write(f"{os.waitstatus_to_exitcode(status)} {wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss}")
