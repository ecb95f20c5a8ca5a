// Which system calls a box may make: what Node, CPython, LuaJIT, static Go binaries, glibc and musl need, and no more.
// Every call that is not named here is attack surface of the host's kernel that no runtime needs.

import type { ExtraCalls } from "../../core/base-image.ts";

/** Error numbers are the same on x86-64 and arm64. */
export const ERRNO = { EPERM: 1, EINVAL: 22, ENOSYS: 38, EOPNOTSUPP: 95, EAFNOSUPPORT: 97 } as const;

/** What happens to a call: it is made, or it fails with an error, or it ends the whole process with SIGSYS. */
export type Verdict = "allow" | "kill" | keyof typeof ERRNO;

/**
 * A verdict that depends on one argument; on more where rules are nested. Only its low 32 bits are compared, since the kernel itself reads no more of
 * any argument used here: a filter that compares 64 bits is passed by setting a high one (CVE-2019-10063).
 */
export interface ArgumentRule {
  /** 0 for the first. */
  readonly argument: number;
  /** The bits that count. */
  readonly mask: number;
  readonly values: readonly number[];
  /** When `argument & mask` is one of `values`. */
  readonly listed: Rule;
  readonly otherwise: Rule;
}

export type Rule = Verdict | ArgumentRule;

/** Name of a system call -> its rule. */
export type Policy = ReadonlyMap<string, Rule>;

/** For calls without a rule. "This kernel does not have it" lets libc, libuv and Go fall back to an older call. */
export const UNNAMED: Verdict = "ENOSYS";

const ALL_BITS = 0xffff_ffff;

const ALLOWED = [
  // Memory. PROT_EXEC included: V8 and LuaJIT write machine code; pkey_* is how V8 protects it.
  "brk mmap munmap mremap mprotect madvise mincore msync mlock mlock2 munlock membarrier",
  "pkey_alloc pkey_free pkey_mprotect",

  // Reading and writing. splice: Go has no way back from ENOSYS there.
  "read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek close close_range",
  "dup dup2 dup3 fcntl pipe pipe2 sendfile splice copy_file_range fadvise64",

  // Files and folders. No inotify, no flock: boxes see the same libraries, and would see each other using or locking them. No sync, no syncfs: they write out the host's file systems and stall everybody on them.
  "open openat creat truncate ftruncate fallocate fsync fdatasync umask",
  "stat lstat fstat newfstatat statx access faccessat faccessat2 statfs fstatfs readlink readlinkat",
  "getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2",
  "link linkat symlink symlinkat unlink unlinkat",
  "utime utimes utimensat futimesat",
  // setuid bits set here have no effect: every mount of a box is nosuid, and no_new_privs is set.
  "chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat",
  // Python's shutil copies them, and fails when it cannot even list them.
  "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr",

  // Waiting: the event loops of libuv, asyncio and Go.
  "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2",
  "eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4",

  // Sockets, once `socket` has let them be made.
  "bind listen accept accept4 connect shutdown getsockname getpeername getsockopt",
  "recvfrom recvmsg recvmmsg",

  // Threads.
  "futex futex_waitv set_robust_list get_robust_list set_tid_address rseq gettid tkill tgkill",
  "sched_yield getcpu sched_getaffinity sched_setaffinity sched_getscheduler sched_getparam sched_getattr",
  "sched_get_priority_max sched_get_priority_min sched_rr_get_interval",
  "arch_prctl", // the register of thread-local storage on x86-64

  // Processes. execve also starts the box's own command: bwrap installs the filter just before.
  "fork vfork execve exit exit_group wait4 waitid kill pidfd_open pidfd_send_signal",
  "getpid getppid getpgid setpgid getpgrp getsid setsid restart_syscall",
  "getpriority setpriority getrusage times getrlimit setrlimit prlimit64",

  // Signals.
  "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigreturn",
  "rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack pause alarm getitimer setitimer",

  // Who am I. The setters have one id to set, that of the box: programs "drop privileges" to it.
  "getuid geteuid getgid getegid getresuid getresgid getgroups capget",
  "setuid setgid setreuid setregid setresuid setresgid",

  // Time, randomness and the machine.
  "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getrandom uname sysinfo",
];

/** Told as "not permitted", as the kernel tells it to whoever lacks the capability. Nothing in a box should ask for these. */
const FORBIDDEN = [
  // A new user namespace gives every capability inside of it, and with them most of the kernel's bugs of the last years.
  "unshare setns",
  // Another view of the files: mounts, also by the newer calls.
  "mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick open_tree open_tree_attr move_mount mount_setattr",
  // Files by number instead of by path: out of the box's root (the "shocker" escape from Docker).
  "open_by_handle_at name_to_handle_at lookup_dcookie fanotify_init fanotify_mark",
  // Other processes' memory and descriptors.
  "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp",
  // Programs and hooks in the kernel, each with a long row of local root exploits.
  "bpf perf_event_open",
  "userfaultfd", // stops the kernel in the middle of a copy: what makes its races easy to win
  "vmsplice", // a user's pages in a pipe: CVE-2008-0600, CVE-2020-29374
  "add_key request_key keyctl", // the session keyring is inherited from the server; CVE-2016-0728
  "modify_ldt iopl ioperm", // segments and ports of the processor: CVE-2017-17053
  // Where pages lie, seen and changed for others, too.
  "mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages",
  // A class before all others on the machine.
  "sched_setscheduler sched_setparam sched_setattr ioprio_set",
  // The machine itself. Capabilities guard these as well; they stay shut when a bug hands one out.
  "kexec_load kexec_file_load init_module finit_module delete_module create_module get_kernel_syms query_module",
  "reboot swapon swapoff syslog acct quotactl quotactl_fd nfsservctl vhangup sethostname setdomainname",
  "settimeofday clock_settime clock_adjtime adjtimex",
];

/** Told as "this kernel has none", by intent: their callers know another way, or must be written without. */
const ABSENT = [
  "clone3", // its flags are in memory, where no filter sees them; libc falls back to clone
  // Makes calls past the filter. 6 of 10 kernel exploits that Google paid for in a year used it.
  "io_uring_setup io_uring_enter io_uring_register",
  "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents", // counted for the whole machine (fs.aio-max-nr)
  // POSIX timers: CVE-2025-38352. There is setitimer and timerfd; timeout(1) and Go's profiler fall back by themselves.
  "timer_create timer_settime timer_gettime timer_getoverrun timer_delete",
  // Kernel objects that outlive their process, and so the run that made them.
  "shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semtimedop semctl",
  "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
  "memfd_secret", // pages that the host cannot read, swap or move
];

/** Kernel memory that no tmpfs size counts. Told as by a file system without attributes: `cp -a` and shutil go on without. */
const ATTRIBUTES = ["setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"];

const NAMESPACE_FLAGS =
  0x0002_0000 | // CLONE_NEWNS
  0x0200_0000 | // CLONE_NEWCGROUP
  0x0400_0000 | // CLONE_NEWUTS
  0x0800_0000 | // CLONE_NEWIPC
  0x1000_0000 | // CLONE_NEWUSER
  0x2000_0000 | // CLONE_NEWPID
  0x4000_0000 | // CLONE_NEWNET
  0x0000_0080; // CLONE_NEWTIME; to clone a bit of the exit signal, but no signal has such a number

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC, SOCK_NONBLOCK
const IPPROTO_TCP = 6;
const MSG_OOB = 1;

const TERMINAL_REQUESTS = {
  TIOCSTI: 0x5412, // types into the terminal of whoever started the server (CVE-2017-5226)
  TIOCLINUX: 0x541c, // the same by selecting and pasting on a console (CVE-2023-1523)
  TIOCCONS: 0x541d, // takes over what the kernel writes to the console
  TIOCSETD: 0x5423, // loads line disciplines, old drivers with races (CVE-2017-2636)
};

const FILTER_OPTIONS = {
  SO_ATTACH_FILTER: 26,
  SO_ATTACH_BPF: 50,
  SO_ATTACH_REUSEPORT_CBPF: 51,
  SO_ATTACH_REUSEPORT_EBPF: 52,
};

const PROCESS_OPTIONS = {
  PR_GET_PDEATHSIG: 2,
  PR_GET_DUMPABLE: 3,
  PR_SET_DUMPABLE: 4,
  PR_GET_KEEPCAPS: 7,
  PR_SET_NAME: 15,
  PR_GET_NAME: 16,
  PR_CAPBSET_READ: 23,
  PR_SET_TIMERSLACK: 29,
  PR_GET_TIMERSLACK: 30,
  PR_SET_CHILD_SUBREAPER: 36,
  PR_GET_CHILD_SUBREAPER: 37,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_GET_NO_NEW_PRIVS: 39,
  PR_GET_TID_ADDRESS: 40,
  PR_SET_THP_DISABLE: 41,
  PR_GET_THP_DISABLE: 42,
  PR_SET_VMA: 0x5356_4d41,
};

const FILE_TYPE_BITS = 0o170000;
const FILE_TYPES = { none: 0, fifo: 0o010000, regular: 0o100000, socket: 0o140000 };

const UNIX_SOCKETS_ONLY: ArgumentRule = {
  argument: 0,
  mask: ALL_BITS,
  values: [AF_UNIX],
  listed: "allow",
  otherwise: "EAFNOSUPPORT",
};

/**
 * Unix sockets, and TCP over IPv4. No UDP, no IPv6, and no protocol behind them that is a module of its own (SCTP, MPTCP, SMC):
 * each is code of the kernel that nobody needs here.
 */
const UNIX_AND_TCP_SOCKETS: ArgumentRule = {
  ...UNIX_SOCKETS_ONLY,
  otherwise: {
    argument: 0,
    mask: ALL_BITS,
    values: [AF_INET],
    listed: {
      argument: 1,
      mask: (ALL_BITS & ~SOCK_FLAGS) >>> 0,
      values: [SOCK_STREAM],
      listed: { argument: 2, mask: ALL_BITS, values: [0, IPPROTO_TCP], listed: "allow", otherwise: "EAFNOSUPPORT" },
      otherwise: "EAFNOSUPPORT",
    },
    otherwise: "EAFNOSUPPORT",
  },
};

const ARGUMENT_RULES: { readonly [name: string]: ArgumentRule } = {
  // A new user namespace by another door than unshare.
  clone: { argument: 0, mask: NAMESPACE_FLAGS, values: [0], listed: "allow", otherwise: "EPERM" },

  // Keystrokes for the terminal outside, and old drivers.
  ioctl: {
    argument: 1,
    mask: ALL_BITS,
    values: Object.values(TERMINAL_REQUESTS),
    listed: "EPERM",
    otherwise: "allow",
  },

  // Every other address family reaches past the network namespace (vsock) or is a module full of bugs (netlink, packet,
  // alg, tipc, can). The way out, where there is one, is a unix socket.
  socket: UNIX_SOCKETS_ONLY,
  socketpair: UNIX_SOCKETS_ONLY,

  // Programs of the user that the kernel compiles and runs: material for jump gadgets and Spectre.
  setsockopt: {
    argument: 2,
    mask: ALL_BITS,
    values: Object.values(FILTER_OPTIONS),
    listed: "EPERM",
    otherwise: "allow",
  },

  // Urgent data on unix sockets: from Chrome's sandbox to the kernel in CVE-2025-38236. Linux has it since 5.15; nothing
  // relies on it.
  sendto: withoutUrgentData(3),
  sendmsg: withoutUrgentData(2),
  sendmmsg: withoutUrgentData(3),

  // PR_SET_PDEATHSIG undoes bwrap's --die-with-parent: code in the box's first process would outlive a killed server.
  // PR_SET_MM hides what a process is; the rest is not needed. EINVAL is what a kernel says that does not know an option:
  // callers try options of newer kernels and go on without.
  prctl: {
    argument: 0,
    mask: ALL_BITS,
    values: Object.values(PROCESS_OPTIONS),
    listed: "allow",
    otherwise: "EINVAL",
  },

  // READ_IMPLIES_EXEC and ADDR_NO_RANDOMIZE undo protections of what is executed next; asking (all bits) is harmless.
  personality: { argument: 0, mask: ALL_BITS, values: [0, 0xffff_ffff], listed: "allow", otherwise: "EPERM" },

  // A device node is the device: the host's disk. mkfifo and sockets come this way, too.
  mknod: withoutDevices(1),
  mknodat: withoutDevices(2),
};

function withoutUrgentData(flagsArgument: number): ArgumentRule {
  return { argument: flagsArgument, mask: MSG_OOB, values: [0], listed: "allow", otherwise: "EOPNOTSUPP" };
}

function withoutDevices(modeArgument: number): ArgumentRule {
  return {
    argument: modeArgument,
    mask: FILE_TYPE_BITS,
    values: Object.values(FILE_TYPES),
    listed: "allow",
    otherwise: "EPERM",
  };
}

/** What differs from base to base and from machine to machine. */
export interface PolicyOptions extends ExtraCalls {
  /** False: no memfd_create. Its memory is neither a process's nor a file's: where no cgroup counts it, nothing bounds it. */
  readonly memfd: boolean;
}

export function policyFor(options: PolicyOptions): Policy {
  const policy = new Map<string, Rule>(Object.entries(ARGUMENT_RULES));
  if (options.loopback === true) policy.set("socket", UNIX_AND_TCP_SOCKETS);
  if (options.fileLocks === true) add(policy, ["flock"], "allow");
  add(policy, ALLOWED, "allow");
  add(policy, FORBIDDEN, "EPERM");
  add(policy, ABSENT, "ENOSYS");
  add(policy, ATTRIBUTES, "EOPNOTSUPP");
  add(policy, ["memfd_create"], options.memfd ? "allow" : "ENOSYS");
  return policy;
}

function add(policy: Map<string, Rule>, lines: readonly string[], verdict: Verdict): void {
  for (const name of lines.flatMap((line) => line.split(" "))) {
    if (policy.has(name)) throw new Error(`the policy names the system call "${name}" twice`);
    policy.set(name, verdict);
  }
}
