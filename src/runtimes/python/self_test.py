"""Tries the classic ways out of a box and tells which of them work: none, or the server does not start.

It is run like any caller's script. `input`: {"hostPaths": [...], "serverPid": n}.
"""

import ctypes
import errno
import os
import re
import sys

CLONE_NEWUSER = 0x10000000
holes = []


def must_fail(what, attempt, *arguments):
    try:
        attempt(*arguments)
    except OSError:
        return
    holes.append(what)


def read_proc(name):
    """Empty in a box without `/proc`."""
    try:
        with open("/proc/self/" + name) as file:
            return file.read()
    except OSError:
        return ""


must_fail("open /proc/sys/kernel/core_pattern for writing", os.open, "/proc/sys/kernel/core_pattern", os.O_RDWR)
for path in input["hostPaths"]:  # noqa: F821
    must_fail("see the host's " + path, os.stat, path)
for path in ["/written", "/dev/written", "/lib/written"]:
    must_fail("write to " + path, os.open, path, os.O_WRONLY | os.O_CREAT)
must_fail("change its interpreter", os.open, sys.executable, os.O_WRONLY)
if input["serverPid"] != os.getpid():  # noqa: F821
    must_fail("signal the server", os.kill, input["serverPid"], 0)  # noqa: F821

libc = ctypes.CDLL(None, use_errno=True)
for family, name in [(2, "an IPv4"), (10, "an IPv6"), (16, "a netlink"), (40, "a vsock")]:
    if libc.socket(family, 3 if family == 16 else 1, 0) >= 0 or ctypes.get_errno() != errno.EAFNOSUPPORT:
        holes.append("make " + name + " socket")
if libc.unshare(CLONE_NEWUSER) == 0 or ctypes.get_errno() != errno.EPERM:
    holes.append("make a user namespace")

status = read_proc("status")
if status:
    if not re.search(r"^Seccomp:\s+2$", status, re.M):
        holes.append("make any system call: no filter is in force")
    if not re.search(r"^NoNewPrivs:\s+1$", status, re.M):
        holes.append("gain privileges by running a setuid program")
    if not re.search(r"^CapEff:\s+0+$", status, re.M):
        holes.append("use capabilities")
    if not re.match(r"\s*\d+\s+[1-9]\d*\s+1\s*$", read_proc("uid_map")):
        holes.append("act as root of the host")
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    if others:
        holes.append("see processes of others (" + ", ".join(others) + ")")

result = holes
