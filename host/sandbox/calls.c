/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that an architecture or a library does not know are passed over. */
#include <stddef.h>
#include "sandbox/calls.h"

const char *const calls_allowed[] = {
	/* memory */
	"brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mmap",
	"mprotect", "mremap", "msync", "munlock", "munmap", "get_mempolicy",
	"memfd_create",
	/* descriptors; fcntl by its command */
	"close", "close_range", "dup", "dup2", "dup3", "flock", "lseek",
	"read", "readv", "pread64", "preadv", "preadv2", "write",
	"writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "splice",
	"tee", "vmsplice", "copy_file_range", "readahead", "fadvise64",
	"fallocate", "ftruncate", "fsync", "fdatasync", "sync_file_range",
	"fchmod", "fchown", "pipe", "pipe2", "eventfd", "eventfd2",
	"signalfd", "signalfd4", "inotify_init", "inotify_init1",
	"inotify_add_watch", "inotify_rm_watch",
	/* looking at files: paths of these are nobody's secret */
	"access", "faccessat", "faccessat2", "stat", "fstat", "lstat",
	"newfstatat", "statx", "statfs", "fstatfs", "readlink", "readlinkat",
	"getdents", "getdents64", "getcwd", "chdir", "fchdir", "umask",
	"getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr",
	"flistxattr",
	/* waiting */
	"poll", "ppoll", "select", "pselect6", "epoll_create",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
	"epoll_pwait2", "nanosleep", "clock_nanosleep", "pause", "alarm",
	"getitimer", "setitimer", "timer_create", "timer_delete",
	"timer_getoverrun", "timer_gettime", "timer_settime",
	"timerfd_create", "timerfd_gettime", "timerfd_settime",
	/* sockets; socket itself by its domain */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname",
	"getsockopt", "listen", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg",
	"sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
	/* threads */
	"futex", "futex_waitv", "futex_wait", "futex_wake", "futex_requeue",
	"get_robust_list", "set_robust_list", "set_tid_address", "rseq",
	"arch_prctl", "get_thread_area", "set_thread_area", "sched_yield",
	"sched_getaffinity", "sched_setaffinity", "sched_getparam",
	"sched_getscheduler", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getattr", "getcpu",
	/* signals; kill and the like of our own process only */
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "restart_syscall",
	/* what and where we are */
	"clock_getres", "clock_gettime", "gettimeofday", "time", "times",
	"getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp",
	"getpid", "getppid", "getpriority", "getresgid", "getresuid",
	"getrlimit", "getrusage", "getsid", "gettid", "getuid", "getrandom",
	"capget", "ioprio_get", "sysinfo", "uname", "prctl",
	"setpriority", "setrlimit",
	/* the end */
	"exit", "exit_group", "wait4", "waitid",
	NULL
};

const char *const calls_of_exec[] = { "clone", "execve", "execveat", "fork",
	"vfork", "kill", "tkill", "tgkill", "setpgid", "setsid", "pidfd_open",
	"pidfd_send_signal", "chmod", "fchmodat", "utimensat", NULL };

const char *const calls_missing[] = { "clone3", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "memfd_secret",
	"map_shadow_stack", "cachestat", "mseal", NULL };
