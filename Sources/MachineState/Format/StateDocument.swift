public import JSON
import KVM

/// A machine's state as a JSON document of the format `lapwing.machine-state`, which docs/machine-state.md describes.
public struct StateDocument: Sendable {
  /// The document's type.
  public static let format = "lapwing.machine-state"
  /// What this program writes, and the newest that it knows.
  public static let version = FormatVersion(major: 1, minor: 4)

  /// The state.
  public var state: MachineState
  /// The version that the document says of itself.
  public var version = StateDocument.version
  /// The members that this program does not know and has left out, by path: those of a newer minor version.
  public var unknownMembers: [String] = []

  /// The document of a state.
  public init(_ state: MachineState) { self.state = state }

  /// Reads a document, every field of which is checked.
  ///
  /// - Parameter text: JSON, in UTF-8.
  /// - Throws: `MalformedState` for what is no such document, for a newer major version, and for a field that is missing,
  ///   out of range or contradicts another.
  public init(text: [UInt8]) throws(MalformedState) {
    let json = try JSONValue(parsing: text, limits: Self.limits)
    var head = Head()
    try Head.fields.decode(json, into: &head, DecodingContext())
    guard head.format == Self.format else {
      throw MalformedState(
        "a document of the format \"\(Self.format)\" expected, not \"\(head.format)\"", at: "format")
    }
    version = head.version
    let context = DecodingContext(minor: version.minor)
    state = try MachineState(json: json, context)
    try state.validate()
    unknownMembers = context.unknownMembers
  }

  /// The document, to be a part of another.
  public var json: JSONValue { state.json }

  /// The document's text.
  public var text: [UInt8] { state.json.text }

  /// 4096 vCPUs with AMX take less: about 350 values each.
  private static let limits = JSONLimits(bytes: 256 << 20, values: 1 << 21)

  /// What says whether the rest can be read.
  private struct Head {
    var format = ""
    var version = StateDocument.version

    static var fields: [Field<Head>] {
      [.text("format", \.format, atMost: 256), Field("version", \.version, StateDocument.versionCoding)]
    }
  }

  private static var versionCoding: JSONCoding<FormatVersion> {
    JSONCoding.text(atMost: 40).map { (text) throws(JSONError) in
      guard let version = FormatVersion(text) else {
        throw JSONError("a version such as \"\(Self.version)\" expected, not \"\(text)\"")
      }
      guard version.major == Self.version.major else {
        throw JSONError("version \(version) cannot be read: this program reads \(Self.version.major).x")
      }
      return version
    } back: {
      $0.description
    }
  }
}

/// Why a document is no machine state: the place in it, and what is wrong there.
public typealias MalformedState = JSONError

/// A version: within one major version, readers leave out what they do not know.
public struct FormatVersion: Hashable, Sendable, CustomStringConvertible {
  /// Changes when older readers would misunderstand.
  public var major: Int
  /// Changes when members are added.
  public var minor: Int

  init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    // An integer's own initializer takes a sign.
    guard parts.count == 2, text.utf8.allSatisfy({ $0 == 0x2e || (0x30...0x39).contains($0) }),
      let major = UInt16(parts[0]), let minor = UInt16(parts[1])
    else { return nil }
    self.init(major: Int(major), minor: Int(minor))
  }

  /// `1.0`.
  public var description: String { "\(major).\(minor)" }
}

/// The CPUID entries of all vCPUs, each once: they differ in a few that hold the APIC id. A vCPU's own are indices.
final class SharedCPUIDEntries {
  private var entries: [CPUIDEntry] = []
  private var indices: [CPUIDEntry: Int] = [:]

  /// The entries of vCPUs.
  init(_ vcpus: [VCPUState]) {
    for entry in vcpus.lazy.flatMap(\.cpuid) where indices[entry] == nil {
      indices[entry] = entries.count
      entries.append(entry)
    }
  }

  /// The table as a member of the document.
  ///
  /// - Parameter limit: how many entries it may have.
  func field(limit: Int) -> Field<MachineState> {
    let list = JSONCoding.list(of: CPUIDEntry.coding, atMost: limit)
    return Field(
      "cpuid", encode: { _ in list.encode(self.entries) },
      decode: { (_, json, context) throws(JSONError) in self.entries = try list.decode(json, context) })
  }

  /// An entry as its index.
  var index: JSONCoding<CPUIDEntry> {
    JSONCoding(
      encode: { .number(Int64(self.indices[$0] ?? -1)) },
      decode: { (json, _) throws(JSONError) in
        guard case .number(let number) = json, self.entries.indices.contains(Int(number)) else {
          throw JSONError("the index of one of the \(self.entries.count) entries of \"cpuid\" expected")
        }
        return self.entries[Int(number)]
      })
  }
}

extension CPUIDEntry {
  /// `0xb/1`: the leaf, and the subleaf where it matters.
  var leaf: String { hasSignificantIndex ? "\(hex(function))/\(index)" : hex(function) }

  /// `0x1 0x2 0x201 0x0`: EAX, EBX, ECX, EDX.
  var values: String { [eax, ebx, ecx, edx].map { hex($0) }.joined(separator: " ") }

  /// `0xb/1 0x1 0x2 0x201 0x0`.
  fileprivate static var coding: JSONCoding<CPUIDEntry> {
    JSONCoding<String>.text(atMost: 100).map { (text) throws(JSONError) in
      let words = text.split(separator: " ", omittingEmptySubsequences: false)
      let leaf = words[0].split(separator: "/", omittingEmptySubsequences: false)
      func word(_ text: Substring) -> UInt32? {
        try? JSONCoding<UInt32>.hex.decode(.string(String(text)), DecodingContext())
      }
      let values = words.dropFirst().compactMap { word($0) }
      // An integer's own initializer takes a sign.
      let digits = leaf.dropFirst().first ?? "0"
      guard words.count == 5, values.count == 4, leaf.count <= 2, let function = leaf.first.flatMap({ word($0) }),
        digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = UInt32(digits)
      else { throw JSONError("a leaf such as \"0xb/1 0x1 0x2 0x201 0x0\" expected, not \"\(text)\"") }
      return CPUIDEntry(
        function: function, index: index, hasSignificantIndex: leaf.count == 2, eax: values[0], ebx: values[1],
        ecx: values[2], edx: values[3])
    } back: {
      "\($0.leaf) \($0.values)"
    }
  }
}

private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
