import GuestContract
import GuestMachine
import Synchronization

/// The mailbox of the processor that asks, through which its host tells it what to do.
public struct MailboxReader {
  private let mailbox: UnsafeMutablePointer<Mailbox>

  /// Finds the mailbox of the processor that runs this, and tells the host that somebody reads it from now on; nil where
  /// the host has none.
  public init?() {
    guard let mailbox = Self.address else { return nil }
    self.mailbox = mailbox
    word(LAPWING_MAILBOX_DONE).pointee
      .store(word(LAPWING_MAILBOX_POSTED).pointee.load(ordering: .acquiring), ordering: .releasing)
    word(LAPWING_MAILBOX_STARTS).pointee.wrappingAdd(1, ordering: .releasing)
  }

  /// Waits for the host's next operation, without ever leaving the guest, and carries it out with `body`.
  public func serve(_ body: (UnsafeMutablePointer<Mailbox>) -> Void) {
    let posted = word(LAPWING_MAILBOX_POSTED)
    let done = word(LAPWING_MAILBOX_DONE)
    let last = done.pointee.load(ordering: .relaxed)
    var number = posted.pointee.load(ordering: .acquiring)
    while number == last { number = posted.pointee.load(ordering: .acquiring) }
    body(mailbox)
    mailbox.pointee.fault = processor_take_fault()
    done.pointee.store(number, ordering: .releasing)
  }

  /// Whether the host has opened the gate of the processor that asks.
  public static var isGateOpen: Bool {
    guard let mailbox = address else { return true }
    return word(LAPWING_MAILBOX_GATE, of: mailbox).pointee.load(ordering: .acquiring) != 0
  }

  private static var address: UnsafeMutablePointer<Mailbox>? {
    let offset = UInt(processor_index()) &* UInt(MemoryLayout<Mailbox>.stride)
    guard bootPage.pointee.mailboxes != 0 else { return nil }
    return UnsafeMutablePointer(bitPattern: UInt(bootPage.pointee.mailboxes) &+ offset)
  }

  private func word(_ offset: Int32) -> UnsafePointer<Atomic<UInt32>> { Self.word(offset, of: mailbox) }

  /// A word that the host reads or writes at the same time.
  private static func word(
    _ offset: Int32, of mailbox: UnsafeMutablePointer<Mailbox>
  ) -> UnsafePointer<Atomic<UInt32>> {
    (UnsafeRawPointer(mailbox) + Int(offset)).assumingMemoryBound(to: Atomic<UInt32>.self)
  }
}
