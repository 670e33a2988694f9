import SwiftProtobuf

/// Packets of one sequence, whose names are written once and referred to by number.
struct PacketStream: Sendable {
  typealias Packet = Lapwing_Perfetto_TracePacket
  typealias Event = Lapwing_Perfetto_TrackEvent
  typealias Annotation = Lapwing_Perfetto_DebugAnnotation

  /// How many names are numbered; others, which only hostile texts make, are written where they stand.
  private static let nameLimit = 4096
  private static let needsInterned: UInt32 = 2
  private static let clearsInterned: UInt32 = 1

  /// Numbers of names, from 1 on.
  private struct Numbers: Sendable {
    private var numbers: [String: UInt64] = [:]
    /// Those that were not written yet.
    var new: [Lapwing_Perfetto_InternedName] = []

    /// A name's number; nil for a new one that there is no room for.
    mutating func number(of name: String) -> UInt64? {
      if let number = numbers[name] { return number }
      guard numbers.count < nameLimit else { return nil }
      var entry = Lapwing_Perfetto_InternedName()
      entry.iid = UInt64(numbers.count + 1)
      entry.name = name
      numbers[name] = entry.iid
      new.append(entry)
      return entry.iid
    }
  }

  private var eventNames = Numbers()
  private var annotationNames = Numbers()
  private var isFirst = true

  /// Names an event.
  mutating func name(_ event: inout Event, _ name: String) {
    if let number = eventNames.number(of: name) { event.nameIid = number } else { event.name = name }
  }

  /// A number with a name of this program's own.
  mutating func annotation(_ name: String, _ value: Int64) -> Annotation {
    var annotation = annotation(name)
    annotation.intValue = value
    return annotation
  }

  /// A text with a name of this program's own.
  mutating func annotation(_ name: String, _ value: String) -> Annotation {
    var annotation = annotation(name)
    annotation.stringValue = value
    return annotation
  }

  private mutating func annotation(_ name: String) -> Annotation {
    var annotation = Annotation()
    // There are a few of them.
    if let number = annotationNames.number(of: name) { annotation.nameIid = number }
    return annotation
  }

  /// Writes an event.
  mutating func write(_ event: Event, at time: Int64, into output: inout [UInt8]) {
    if !eventNames.new.isEmpty || !annotationNames.new.isEmpty {
      var interned = Lapwing_Perfetto_InternedData()
      interned.eventNames = eventNames.new
      interned.debugAnnotationNames = annotationNames.new
      var packet = Packet()
      packet.internedData = interned
      write(&packet, into: &output)
      eventNames.new = []
      annotationNames.new = []
    }
    var packet = Packet()
    packet.timestamp = UInt64(max(time, 0))
    packet.trackEvent = event
    write(&packet, into: &output)
  }

  /// Writes what a track is.
  mutating func write(_ track: Lapwing_Perfetto_TrackDescriptor, into output: inout [UInt8]) {
    var packet = Packet()
    packet.trackDescriptor = track
    write(&packet, into: &output)
  }

  private mutating func write(_ packet: inout Packet, into output: inout [UInt8]) {
    packet.trustedPacketSequenceID = 1
    packet.sequenceFlags = isFirst ? Self.clearsInterned | Self.needsInterned : Self.needsInterned
    isFirst = false
    // It fails where a required field is missing, of which there is none.
    guard let bytes: [UInt8] = try? packet.serializedBytes() else { return }
    output.append(Self.packetTag)
    var length = bytes.count
    while length >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: length) | 0x80)
      length >>= 7
    }
    output.append(UInt8(length))
    output += bytes
  }

  /// Field 1 of a trace, which has a length.
  private static let packetTag: UInt8 = 1 << 3 | 2
}
