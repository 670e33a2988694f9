import Synchronization

/// Messages on their way into slots: one waits for each slot that is not empty, until the guest says that it has emptied it.
final class MessageQueue: Sendable {
  private let pages: SynICPages
  private let lines: SINTLines
  /// Held while a slot or a flag is written, for which one thread at a time may.
  private let waiting = Mutex<[SynICPages.Source: HyperVMessage]>([:])

  init(pages: SynICPages, lines: SINTLines) {
    self.pages = pages
    self.lines = lines
  }

  /// Puts a message into its slot, or has it wait for that.
  func post(_ message: HyperVMessage, to source: SynICPages.Source) -> HyperVStatus {
    waiting.withLock { waiting in
      guard waiting[source] == nil else { return .insufficientBuffers }
      switch pages.post(message, to: source) {
      case .nowhere: return .invalidConnection
      case .occupied: waiting[source] = message
      case .posted: lines.raise(source)
      }
      return .success
    }
  }

  /// Sets an event's flag.
  func signal(flag: UInt64, to source: SynICPages.Source) -> HyperVStatus {
    waiting.withLock { _ in
      guard let isNew = pages.set(flag: flag, of: source) else { return .invalidConnection }
      if isNew { lines.raise(source) }
      return .success
    }
  }

  /// Tries again what waits.
  func retry() {
    waiting.withLock { waiting in
      for (source, message) in waiting {
        switch pages.post(message, to: source) {
        case .occupied: continue
        case .posted: lines.raise(source)
        // The guest has taken its page away, and with it the message.
        case .nowhere: break
        }
        waiting[source] = nil
      }
    }
  }
}
