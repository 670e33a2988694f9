import Glibc
import KVM
public import Support
import Synchronization
import SystemPackage
public import VMM

/// Takes requests for a machine that runs, on a thread of its own: no vCPU ever waits for a client.
public final class ControlServer: Sendable {
  /// How many clients there may be at once.
  public static let clientLimit = 16

  private let listener: LocalListener
  private let machine: ControlledMachine
  private let wakeup: Wakeup
  private let isOver = Atomic<Bool>(false)
  private let thread = Mutex<pthread_t?>(nil)

  /// Takes requests from now on.
  ///
  /// - Parameters:
  ///   - listener: where from.
  ///   - machine: a machine that has not been started.
  ///   - guest: what its snapshots say of it.
  ///   - words: what its state is for a person.
  ///   - snapshotRemedy: what to do where a snapshot may not be written, for a person, behind what is wrong.
  /// - Throws: `MachineError` where the host has no thread or descriptor left.
  public init(
    _ listener: LocalListener, _ machine: Machine, guest: String, words: @escaping StateText,
    snapshotRemedy: String = ""
  ) throws(MachineError) {
    self.listener = listener
    do throws(KVMError) {
      self.machine = try ControlledMachine(machine, guest: guest, words: words, snapshotRemedy: snapshotRemedy)
    } catch {
      throw .kvm(error)
    }
    do throws(Errno) {
      wakeup = try Wakeup()
      let started = try HostThread.start { [self] in run() }
      thread.withLock { $0 = started }
    } catch {
      throw .thread(errno: error.rawValue)
    }
  }

  /// Ends it, after the machine: clients get what was answered as far as they read it at once. Called once.
  public func finish() {
    isOver.store(true, ordering: .releasing)
    wakeup.signal()
    if let started = thread.withLock({ $0.take() }) { pthread_join(started, nil) }
    listener.close()
  }

  /// The interrupts that clients have asked for.
  public var requestedInjections: RequestedInjections { machine.requestedInjections }

  private func run() {
    var clients: [ControlClient] = []
    while !isOver.load(ordering: .acquiring) {
      let isCalled = wait(clients)
      if isCalled {
        if let connection = try? listener.accept() {
          clients.append(ControlClient(connection))
        } else {
          // The process has no descriptor left, perhaps: whoever waits would be seen again at once.
          usleep(10_000)
        }
      }
      for index in clients.indices {
        clients[index].flush()
        clients[index].receive()
        // One request each, so that none keeps the others waiting with many.
        if clients[index].isReady, !isOver.load(ordering: .acquiring) { serve(&clients[index]) }
      }
      clients.removeAll(where: \.isDone)
    }
    for index in clients.indices { clients[index].flush() }
  }

  /// Until somebody connects, asks or reads, or it is over. Clients beyond the limit wait to be accepted.
  ///
  /// - Returns: whether somebody wants to connect.
  private func wait(_ clients: [ControlClient]) -> Bool {
    var descriptors = [
      pollfd(fd: wakeup.rawDescriptor, events: Int16(POLLIN), revents: 0),
      pollfd(
        fd: clients.count < Self.clientLimit ? listener.rawDescriptor : -1, events: Int16(POLLIN), revents: 0),
    ]
    for client in clients {
      let events = (client.wantsInput ? POLLIN : 0) | (client.wantsOutput ? POLLOUT : 0)
      descriptors.append(pollfd(fd: client.connection.rawDescriptor, events: Int16(events), revents: 0))
    }
    let isBusy = clients.contains(where: \.isReady)
    // Sound: the array is valid during the call and has as many elements as it says.
    unsafe _ = poll(&descriptors, nfds_t(descriptors.count), isBusy ? 0 : -1)
    return descriptors[1].revents != 0
  }

  private func serve(_ client: inout ControlClient) {
    switch client.nextLine() {
    case nil: break
    case .tooLong:
      client.answer(ControlAnswer(result: .refused("a line has at most \(LineSplitter.limit) bytes")))
    case .whole(let line):
      do throws(ControlRequestError) {
        let request = try ControlRequest(line: line, vcpus: machine.vcpuCount)
        let result = machine.carryOut(request.action) { isOver.load(ordering: .acquiring) }
        client.answer(ControlAnswer(id: request.id, result: result))
      } catch {
        client.answer(ControlAnswer(error))
      }
    }
  }
}

/// Makes lines of bytes that come in pieces, and keeps no more of one than it may have.
struct LineSplitter {
  /// A line without its end.
  enum Line: Hashable {
    /// All of it.
    case whole([UInt8])
    /// It was longer than a line may be, and is gone.
    case tooLong
  }

  /// How long a line may be, in bytes.
  static let limit = 64 << 10

  private var rest: [UInt8] = []
  private var isTooLong = false

  /// Takes a piece.
  ///
  /// - Returns: the lines that end in it, without those that are empty.
  mutating func take(_ bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      keep(bytes[start..<end])
      if let line = finish() { lines.append(line) }
      start = end + 1
    }
    keep(bytes[start...])
    return lines
  }

  /// Ends the line that has begun.
  ///
  /// - Returns: it; nil where none has.
  mutating func finish() -> Line? {
    defer { (rest, isTooLong) = ([], false) }
    if isTooLong { return .tooLong }
    if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
    return rest.isEmpty ? nil : .whole(rest)
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    guard !isTooLong, rest.count + bytes.count <= Self.limit else {
      (rest, isTooLong) = ([], true)
      return
    }
    rest += bytes
  }
}
