import CVMM
import Confinement
import Glibc
import KVM
import Support
import Synchronization
import SystemPackage

/// The thread that runs one vCPU. It is joined exactly once, by `stopAndJoin`.
final class VCPUThread: Sendable {
  private let vcpu: VCPU
  private let thread: pthread_t
  private let body: ThreadBody
  private let isJoined = Atomic<Bool>(false)

  /// How long a thread that was woken has to get to its end before it is woken again, in nanoseconds. A signal can come
  /// just before the thread enters a system call other than KVM_RUN, such as a write to a full pipe.
  private static let patience: UInt64 = 2_000_000

  /// Starts a thread that runs `body` for a vCPU.
  ///
  /// - Throws: `MachineError.thread` where the host has no thread left.
  init(for vcpu: VCPU, name: String, _ body: @escaping @Sendable () -> Void) throws(MachineError) {
    WakeSignal.install()
    let threadBody = ThreadBody(name: name) {
      VCPUThreadFilter.enter()
      body()
    }
    do throws(Errno) {
      thread = try HostThread.start { threadBody.run() }
    } catch {
      throw .thread(errno: error.rawValue)
    }
    self.vcpu = vcpu
    self.body = threadBody
  }

  /// The kernel's id of the thread; 0 until it runs.
  var id: Int32 { body.id.load(ordering: .acquiring) }

  /// Takes the vCPU out of the guest; the thread's body sees `StopSwitch` and ends.
  func wake() {
    vcpu.requestExit()
    // The thread is not joined before `stopAndJoin`, so its id is valid even if it has ended.
    pthread_kill(thread, WakeSignal.number)
  }

  /// Wakes the thread until it has ended; does nothing where it has been joined before.
  func stopAndJoin() {
    guard !isJoined.exchange(true, ordering: .acquiringAndReleasing) else { return }
    repeat { wake() } while cvmm_join_within(thread, Self.patience) == ETIMEDOUT
    vcpu.clearExitRequest()
  }
}

/// A thread that nobody waits for.
enum BackgroundThread {
  /// Starts one that runs `body`; says whether the host had one.
  static func start(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let threadBody = ThreadBody(name: name, body: body)
    return (try? HostThread.startDetached { threadBody.run() }) != nil
  }

  /// Has the calling thread sleep, at least for so long.
  static func sleep(nanoseconds: Int) {
    var left = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    var rest = timespec()
    // Sound: the call reads the one structure and writes the other.
    while unsafe nanosleep(&left, &rest) != 0 { left = rest }
  }
}

/// What a thread runs.
private final class ThreadBody: Sendable {
  let name: String
  let body: @Sendable () -> Void
  let id = Atomic<Int32>(0)

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }

  func run() {
    unsafe cvmm_name_thread(name)
    id.store(cvmm_thread_id(), ordering: .releasing)
    WakeSignal.unblock()
    body()
  }
}

/// The signal that takes a vCPU's thread out of KVM_RUN. Its handler does nothing: to interrupt is all it is for.
enum WakeSignal {
  /// One that nobody else uses and that is ignored by default. It is no real-time signal: of those only so many may be
  /// pending for a user (RLIMIT_SIGPENDING), and one beyond that is refused, which would leave a vCPU in the guest.
  static let number = SIGURG

  private static let isInstalled: Bool = {
    var action = sigaction()
    // Without SA_RESTART, so that the system call ends with EINTR.
    unsafe action.__sigaction_handler.sa_handler = { _ in }
    return unsafe sigaction(number, &action, nil) == 0
  }()

  static func install() { _ = isInstalled }

  /// Runs a vCPU with the signal pending. KVM sees it before it enters the guest (`kvm_vcpu_exit_request`), so what ends
  /// here is everything around an entry: the completion of an access, requests, timers that have expired.
  static func runInterrupted(_ vcpu: VCPU) throws(KVMError) -> Exit {
    install()
    var set = sigset_t()
    var old = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, number)
    unsafe pthread_sigmask(SIG_BLOCK, &set, &old)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &old, nil) }
    pthread_kill(pthread_self(), number)
    defer {
      // Sound: the wait has no time limit but zero, and takes the one signal that was sent, if it is still there.
      var none = timespec()
      unsafe sigtimedwait(&set, nil, &none)
    }
    try vcpu.setSignalMask(0)
    let exit: Exit
    do throws(KVMError) {
      exit = try vcpu.run()
    } catch {
      try? vcpu.setSignalMask(nil)
      throw error
    }
    try vcpu.setSignalMask(nil)
    return exit
  }

  static func unblock() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }
}

/// Holds the bootstrap processor back until the threads of all others are at the guest's door, as a PC's processors all
/// wait for INIT before the first instruction runs.
final class StartGate: Sendable {
  private let missing: Atomic<Int>

  /// A gate that so many threads other than the bootstrap processor's open.
  init(waitingFor count: Int) { missing = Atomic(count) }

  /// Comes to the gate on the thread of a vCPU. The bootstrap processor's waits there, unless the machine is stopped.
  func pass(_ index: Int, _ stop: StopSwitch) {
    guard index == 0 else {
      missing.subtract(1, ordering: .acquiringAndReleasing)
      return
    }
    // A thread takes some tens of microseconds to start: to sleep would take longer than to let it have the processor.
    while missing.load(ordering: .acquiring) > 0, !stop.isStopped { sched_yield() }
  }
}
