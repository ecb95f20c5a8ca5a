#!/bin/sh
# A machine without systemd: nothing but a shell, and cgroup v2 where everybody expects it.
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
/vm/run-tests.sh /vm/cgroup-v2.mjs /opt/cloche/src/sandbox/cgroup/cgroup.test.ts /opt/cloche/src/sandbox/nursery-sandbox.test.ts
poweroff -f
