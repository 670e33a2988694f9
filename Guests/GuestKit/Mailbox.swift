import GuestContract
import GuestMachine
import Synchronization

/// The mailbox of the processor that asks, through which its host tells it what to do.
public struct MailboxReader {
  private let mailbox: UnsafeMutablePointer<Mailbox>

  /// Finds the mailbox of the processor that runs this, and tells the host that somebody reads it from now on; nil where
  /// the host has none.
  public init?() {
    let offset = UInt(processor_index()) &* UInt(MemoryLayout<Mailbox>.stride)
    guard bootPage.pointee.mailboxes != 0,
      let mailbox = UnsafeMutablePointer<Mailbox>(bitPattern: UInt(bootPage.pointee.mailboxes) &+ offset)
    else { return nil }
    self.mailbox = mailbox
    mailbox.pointee.done = mailbox.pointee.posted
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

  /// A word that the host reads or writes at the same time.
  private func word(_ offset: Int32) -> UnsafePointer<Atomic<UInt32>> {
    (UnsafeRawPointer(mailbox) + Int(offset)).assumingMemoryBound(to: Atomic<UInt32>.self)
  }
}
