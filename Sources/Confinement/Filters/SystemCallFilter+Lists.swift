import CConfinement

extension SystemCallFilter {
  /// Kinds of sockets.
  public struct Sockets: OptionSet, Sendable {
    /// A bit each.
    public let rawValue: UInt8

    /// Kinds by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sockets in the file system.
    public static let local = Sockets(rawValue: 1)
    /// TCP.
    public static let loopback = Sockets(rawValue: 2)
  }

  /// For every thread of the process.
  ///
  /// What is not on the list fails with EPERM and does not end the process: it may be a call that a C library makes on some
  /// other host, and which can fail.
  ///
  /// - Parameter sockets: which sockets are going to be made.
  public static func process(sockets: Sockets = []) -> SystemCallFilter {
    SystemCallFilter(
      groups: [descriptors, files, memory, threads, time, signals, knowledge, clients]
        + (sockets.isEmpty ? [] : [listening]),
      exceptions: [
        .requests, .mappings, .protections, .newThreads, .ownSignals, .threadNames, .ownLimits, .socketPairs,
      ] + (sockets.isEmpty ? [] : [.sockets(sockets)]),
      // Its arguments are in memory, where a filter does not see them; the C library then takes clone.
      absent: [435: "clone3"], refusal: .error(eperm))
  }

  /// For the threads of vCPUs, which carry out what guests ask of devices: on top of the list for every thread.
  ///
  /// None of it opens a file, makes a process or a socket, or looks at the host. A thread that one of them starts has its filter. A call that is not on the list ends the process:
  /// no guest has a reason for it, so the thread is not the program's any more.
  public static let vcpu = SystemCallFilter(
    groups: [
      Group(
        purpose: "wakes other threads, reads statistics, writes what the guest prints, waits for its reader",
        calls: [
          0: "read", 1: "write", 3: "close", 7: "poll", 17: "pread64", 20: "writev", 271: "ppoll", 290: "eventfd2",
        ]),
      Group(
        purpose: "memory for the allocator",
        calls: [11: "munmap", 12: "brk", 25: "mremap", 28: "madvise"]),
      Group(
        purpose: "waits for other threads, keeps to a processor, ends",
        calls: [
          24: "sched_yield", 60: "exit", 98: "getrusage", 186: "gettid", 202: "futex", 203: "sched_setaffinity",
          204: "sched_getaffinity", 231: "exit_group", 309: "getcpu", 39: "getpid",
        ]),
      Group(
        purpose: "has something done a while later, by a thread that begins (a split irqchip's, Hyper-V's messages)",
        calls: [273: "set_robust_list", 334: "rseq"]),
      time,
      Group(
        purpose: "is woken by a signal, and takes one that it sent itself",
        calls: [
          14: "rt_sigprocmask", 15: "rt_sigreturn", 127: "rt_sigpending", 128: "rt_sigtimedwait", 131: "sigaltstack",
          219: "restart_syscall",
        ]),
      Group(purpose: "seeds of hash tables, random bytes for a virtio-rng", calls: [318: "getrandom"]),
    ],
    exceptions: [.kvmRequests, .mappings, .protections, .newThreads, .ownSignals, .threadNames],
    // Threads begin by clone, as in the rest of the process. The C library's allocator looks once whether the host lets a heap shrink (glibc, check_may_shrink_heap), and does without.
    absent: [257: "openat", 435: "clone3"], refusal: .signal)
}

// MARK: What threads other than vCPUs' do besides.

extension SystemCallFilter {
  private static let eperm: Int32 = 1

  private static let descriptors = Group(
    purpose: "reads, writes and waits for what is open",
    calls: [
      0: "read", 1: "write", 3: "close", 5: "fstat", 7: "poll", 8: "lseek", 17: "pread64", 18: "pwrite64",
      20: "writev", 32: "dup", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 77: "ftruncate", 271: "ppoll",
      285: "fallocate", 290: "eventfd2",
    ])

  private static let files = Group(
    purpose: "finds, opens, makes and renames files, where Landlock and permissions let it",
    calls: [
      2: "open", 4: "stat", 6: "lstat", 21: "access", 79: "getcwd", 82: "rename", 83: "mkdir", 84: "rmdir", 86: "link",
      87: "unlink", 89: "readlink", 91: "fchmod", 93: "fchown", 95: "umask",
      217: "getdents64", 257: "openat", 262: "newfstatat",
      265: "linkat", 269: "faccessat", 332: "statx", 439: "faccessat2",
    ])

  private static let memory = Group(
    purpose: "memory of guests and of the allocator",
    calls: [11: "munmap", 12: "brk", 25: "mremap", 27: "mincore", 28: "madvise"])

  private static let threads = Group(
    purpose: "starts threads, waits for them, ends; gives a new vCPU's thread its own filter",
    calls: [
      24: "sched_yield", 60: "exit", 186: "gettid", 202: "futex", 203: "sched_setaffinity", 204: "sched_getaffinity",
      231: "exit_group", 273: "set_robust_list", 317: "seccomp", 334: "rseq",
    ])

  private static let time = Group(
    purpose: "time and sleep",
    calls: [
      35: "nanosleep", 96: "gettimeofday", 201: "time", 228: "clock_gettime", 229: "clock_getres",
      230: "clock_nanosleep",
    ])

  private static let signals = Group(
    purpose: "holds signals back, takes them in order",
    calls: [
      13: "rt_sigaction", 14: "rt_sigprocmask", 15: "rt_sigreturn", 127: "rt_sigpending", 128: "rt_sigtimedwait",
      131: "sigaltstack", 219: "restart_syscall", 289: "signalfd4",
    ])

  private static let knowledge = Group(
    purpose: "knows the host, the user and its limits; seeds",
    calls: [
      39: "getpid", 63: "uname", 97: "getrlimit", 98: "getrusage", 99: "sysinfo", 102: "getuid", 104: "getgid",
      107: "geteuid", 108: "getegid", 309: "getcpu", 318: "getrandom",
    ])

  private static let clients = Group(
    purpose: "takes clients of a socket that listens, and talks to them",
    calls: [
      44: "sendto", 45: "recvfrom", 48: "shutdown", 51: "getsockname",
      54: "setsockopt", 55: "getsockopt", 288: "accept4",
    ])

  private static let listening = Group(
    purpose:
      "only with --control and --gdb: listens, and finds out whether somebody listens at a socket's file already",
    calls: [42: "connect", 49: "bind", 50: "listen"])
}

// MARK: What is let through in part.

extension SystemCallFilter.Exception {
  /// All requests of KVM are of one type, the byte in bits 15:8 (KVMIO).
  fileprivate static let kvm = Pattern(mask: 0xff00, value: 0xae00)

  fileprivate static let kvmRequests = Self(
    number: 16, name: "ioctl", purpose: "requests of KVM", argument: 1, patterns: [kvm])

  /// TCGETS, TCSETS, TIOCGWINSZ; TCGETS2 and TCSETS2, which the C library takes from glibc 2.42 on. One of the requests that are
  /// left out types into the terminal (TIOCSTI).
  fileprivate static let requests = Self(
    number: 16, name: "ioctl", purpose: "requests of KVM, and a terminal's size and settings", argument: 1,
    patterns: [kvm] + [0x5401, 0x5402, 0x5413, 0x802c_542a, 0x402c_542b].map { Pattern(value: $0) })

  /// PROT_EXEC is 4.
  fileprivate static let mappings = Self(
    number: 9, name: "mmap", purpose: "memory that is no code", argument: 2, patterns: [Pattern(mask: 4, value: 0)])

  fileprivate static let protections = Self(
    number: 10, name: "mprotect", purpose: "memory that does not become code", argument: 2,
    patterns: [Pattern(mask: 4, value: 0)])

  /// CLONE_THREAD is 0x10000.
  fileprivate static let newThreads = Self(
    number: 56, name: "clone", purpose: "threads, no processes", argument: 0,
    patterns: [Pattern(mask: 0x10000, value: 0x10000)])

  fileprivate static let ownSignals = Self(
    number: 234, name: "tgkill", purpose: "signals to threads of this process", argument: 0,
    patterns: [Pattern(value: UInt32(bitPattern: cconfinement_process_id()))])

  /// PR_SET_NAME is 15.
  fileprivate static let threadNames = Self(
    number: 157, name: "prctl", purpose: "names of threads", argument: 0, patterns: [Pattern(value: 15)])

  fileprivate static let ownLimits = Self(
    number: 302, name: "prlimit64", purpose: "limits of this process", argument: 0, patterns: [Pattern(value: 0)])

  /// AF_UNIX is 1.
  fileprivate static let socketPairs = Self(
    number: 53, name: "socketpair", purpose: "connections within this process", argument: 0,
    patterns: [Pattern(value: 1)])

  /// AF_UNIX is 1, AF_INET is 2.
  fileprivate static func sockets(_ sockets: SystemCallFilter.Sockets) -> Self {
    Self(
      number: 41, name: "socket", purpose: "only with --control and --gdb: sockets of the kind that listens",
      argument: 0,
      patterns: (sockets.contains(.local) ? [Pattern(value: 1)] : [])
        + (sockets.contains(.loopback) ? [Pattern(value: 2)] : []))
  }
}
