import JSON
import Support

/// The tree of snapshots in Cloud Hypervisor's `state.json`: a component has its own state, which is JSON in a string, and
/// the snapshots of what it is made of (cloud-hypervisor, vm-migration/src/lib.rs).
struct CloudHypervisorTree {
  private let root: JSONValue
  /// Which component it is, for a failure.
  private let path: String

  /// A vCPU takes some 50 KB. What is read is here four times over: the file, its strings, one of them, and what is in it.
  static let sizeLimit = 32 << 20
  private static let limits = JSONLimits(
    bytes: sizeLimit, values: 1 << 20, stringBytes: sizeLimit, takesUnsigned: true)

  /// Whether a document may be one: the first member's name is that of the tree's, which no state of Lapwing's has.
  static func matches(_ text: [UInt8]) -> Bool {
    let first = text.prefix(256).split(separator: UInt8(ascii: "\"")).dropFirst().first
    return first.map { $0.elementsEqual("snapshots".utf8) || $0.elementsEqual("snapshot_data".utf8) } ?? false
  }

  /// Reads a document.
  init(_ text: [UInt8]) throws(ForeignStateError) {
    root = try Self.json(text, "state.json")
    path = ""
    guard root["snapshots"] != nil else { throw failure("the member 'snapshots' expected") }
  }

  private init(_ root: JSONValue, _ path: String) {
    self.root = root
    self.path = path
  }

  func failure(_ problem: String) -> ForeignStateError {
    ForeignStateError(.cloudHypervisor, path.isEmpty ? problem : "\(path.excerpt): \(problem)")
  }

  /// What a component is made of, by name.
  var parts: [(name: String, tree: CloudHypervisorTree)] {
    guard case .object(let members) = root["snapshots"] else { return [] }
    return members.map { ($0.name, CloudHypervisorTree($0.value, path.isEmpty ? $0.name : "\(path)/\($0.name)")) }
  }

  /// A part of a component; nil where there is none.
  subscript(name: String) -> CloudHypervisorTree? { parts.first { $0.name == name }?.tree }

  /// The component's own state; nil where it has none.
  func state() throws(ForeignStateError) -> JSONValue? {
    guard let data = root["snapshot_data"], data != .null else { return nil }
    guard let text = data["state"]?.text else {
      throw failure(
        "a state that is text expected; Cloud Hypervisor before version 39 has bytes there, which are not read")
    }
    return try Self.json(Array(text.utf8), path)
  }

  private static func json(_ text: [UInt8], _ path: String) throws(ForeignStateError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: text, limits: limits)
    } catch {
      throw ForeignStateError(.cloudHypervisor, "\(path.excerpt): \(error)")
    }
  }
}

extension JSONValue {
  /// The bytes of an array of numbers from -128 to 255; nil for anything else.
  var bytes: [UInt8]? {
    guard let elements else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(elements.count)
    for element in elements {
      guard let number = element.integer, (-128...255).contains(number) else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: number))
    }
    return bytes
  }

  /// A number as 64 bits; nil for anything else.
  var word: UInt64? { integer.map { UInt64(bitPattern: $0) } }
}
