import APIC
public import MachineState
import Support
import SystemPackage

/// What a person says a file is, where its content does not tell.
public enum StateSource: String, Sendable, CaseIterable {
  /// `lapwing snapshot`.
  case lapwing
  /// QEMU's migration stream, with or without libvirt's header.
  case qemu
  /// The text of QEMU's monitor.
  case monitor
  /// Pages of 1024 bytes, or a hex dump of them.
  case page
  /// Pages of 4096 bytes, or a hex dump of them.
  case apicPage = "apic-page"
  /// Cloud Hypervisor's `state.json`.
  case cloudHypervisor = "cloud-hypervisor"
  /// Firecracker's `vmstate`.
  case firecracker
}

/// A state that was read.
public enum StateContent: Sendable {
  /// Lapwing's own, with what it is made of.
  case lapwing(StateDocument)
  /// Another program's.
  case foreign(InspectableState)

  /// The state as far as the file holds it.
  public var state: InspectableState {
    switch self {
    case .lapwing(let document): InspectableState(document.state)
    case .foreign(let state): state
    }
  }
}

/// Reads a state of any format, found out by its content.
public struct StateReader {
  private static let documentLimit = 256 << 20
  private static let textLimit = 16 << 20

  private var source: ByteSource
  private let expected: StateSource?

  /// A reader.
  ///
  /// - Parameters:
  ///   - source: the file's bytes.
  ///   - expected: what the file is; nil to find out.
  public init(_ source: ByteSource, as expected: StateSource? = nil) {
    self.source = source
    self.expected = expected
  }

  /// Reads the state.
  ///
  /// - Throws: `ForeignStateError`.
  public mutating func read() throws(ForeignStateError) -> StateContent {
    let beginning: [UInt8]
    do throws(Errno) {
      beginning = Array(try source.peek(16))
    } catch {
      throw ForeignStateError(.lapwing, "it cannot be read: \(error)")
    }
    guard !beginning.isEmpty || expected == nil || expected == .lapwing else {
      throw ForeignStateError(StateFormat(expected), at: 0, "the file is empty")
    }
    switch expected {
    case nil: return try readByContent(beginning[...])
    case .lapwing: return .lapwing(try document(rest(.lapwing, atMost: Self.documentLimit)))
    case .qemu: return .foreign(try InspectableState(qemu: QEMUReader(file: source)))
    case .monitor: return .foreign(try InspectableState(monitor: rest(.monitor, atMost: Self.textLimit)))
    case .page: return .foreign(try pages(size: LocalAPICState.pageSize))
    case .apicPage: return .foreign(try pages(size: RegisterPages.wholePage))
    case .cloudHypervisor:
      return .foreign(
        try InspectableState(cloudHypervisor: rest(.cloudHypervisor, atMost: CloudHypervisorTree.sizeLimit)))
    case .firecracker:
      return .foreign(try InspectableState(firecracker: rest(.firecracker, atMost: Self.textLimit)))
    }
  }

  private mutating func readByContent(_ beginning: ArraySlice<UInt8>) throws(ForeignStateError) -> StateContent {
    if let program = Compression.program(beginning) {
      throw ForeignStateError(
        .qemu, at: 0, "it is compressed: '\(program) FILE | lapwing inspect -' reads what is in it")
    }
    if QEMUReader.matches(beginning) { return .foreign(try InspectableState(qemu: QEMUReader(file: source))) }
    if FirecrackerFile.matches(beginning) {
      return .foreign(try InspectableState(firecracker: rest(.firecracker, atMost: Self.textLimit)))
    }
    // A page does not begin with a brace or a bracket: its first word is reserved.
    let first = beginning.first { !Self.isBlank($0) }
    if beginning.isEmpty || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      let text = try rest(.lapwing, atMost: Self.documentLimit)
      return CloudHypervisorTree.matches(text)
        ? .foreign(try InspectableState(cloudHypervisor: text)) : .lapwing(try document(text))
    }
    let bytes = try rest(.pages, atMost: Self.textLimit)
    guard Self.isText(bytes) else {
      return .foreign(InspectableState(pages: try RegisterPages.pages(bytes, size: nil)))
    }
    if let dump = HexDump.bytes(bytes) {
      return .foreign(InspectableState(pages: try RegisterPages.pages(dump, size: nil)))
    }
    guard InspectableState.isMonitorText(bytes) else {
      throw ForeignStateError(
        .lapwing, at: 0,
        "a snapshot of Lapwing's, of Cloud Hypervisor or Firecracker, a migration stream of QEMU, text of its monitor or "
          + "a register page expected; --from says which it is")
    }
    return .foreign(try InspectableState(monitor: bytes))
  }

  private func document(_ text: [UInt8]) throws(ForeignStateError) -> StateDocument {
    do throws(MalformedState) {
      return try StateDocument(text: text)
    } catch {
      throw ForeignStateError(.lapwing, "\(error)")
    }
  }

  private mutating func pages(size: Int) throws(ForeignStateError) -> InspectableState {
    let bytes = try rest(.pages, atMost: RegisterPages.sizeLimit)
    let isDump = bytes.count % size != 0 && Self.isText(bytes)
    return InspectableState(pages: try RegisterPages.pages(isDump ? HexDump.bytes(bytes) ?? bytes : bytes, size: size))
  }

  private mutating func rest(_ format: StateFormat, atMost limit: Int) throws(ForeignStateError) -> [UInt8] {
    do throws(Errno) {
      guard let bytes = try source.rest(atMost: limit) else {
        throw Errno.fileTooLarge
      }
      return bytes
    } catch {
      throw ForeignStateError(
        format, at: source.offset,
        error == .fileTooLarge ? "at most \(limit >> 20) MiB expected" : "it cannot be read: \(error)")
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  /// Whether bytes are a text: they have no control characters but blanks and escapes of a terminal.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f || isBlank($0) || $0 == 0x1b }
  }
}

extension StateFormat {
  fileprivate init(_ source: StateSource?) {
    switch source {
    case .lapwing, nil: self = .lapwing
    case .qemu: self = .qemu
    case .monitor: self = .monitor
    case .page, .apicPage: self = .pages
    case .cloudHypervisor: self = .cloudHypervisor
    case .firecracker: self = .firecracker
    }
  }
}

/// Files that a program has compressed, by their first bytes.
enum Compression {
  private static let marks: [(program: String, mark: [UInt8])] = [
    ("zcat", [0x1f, 0x8b]), ("zstdcat", [0x28, 0xb5, 0x2f, 0xfd]), ("xzcat", [0xfd, 0x37, 0x7a, 0x58, 0x5a]),
    ("bzcat", [0x42, 0x5a, 0x68]), ("lzop -dc", [0x89, 0x4c, 0x5a, 0x4f]), ("lz4cat", [0x04, 0x22, 0x4d, 0x18]),
  ]

  /// The program that undoes it; nil for a file that is not compressed.
  static func program(_ beginning: ArraySlice<UInt8>) -> String? {
    marks.first { beginning.starts(with: $0.mark) }?.program
  }
}
