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

  private var names: [String: UInt64] = [:]
  private var annotationNames: [String: UInt64] = [:]
  private var interned = Lapwing_Perfetto_InternedData()
  private var hasInterned = false
  private var isFirst = true

  /// Names an event.
  mutating func name(_ event: inout Event, _ name: String) {
    if let number = names[name] {
      event.nameIid = number
    } else if names.count < Self.nameLimit {
      let number = UInt64(names.count + 1)
      names[name] = number
      var entry = Lapwing_Perfetto_EventName()
      entry.iid = number
      entry.name = name
      interned.eventNames.append(entry)
      hasInterned = true
      event.nameIid = number
    } else {
      event.name = name
    }
  }

  /// A value with a name of this program's own.
  mutating func annotation(_ name: String, _ value: Annotation.OneOf_Value) -> Annotation {
    var annotation = Annotation()
    annotation.value = value
    if let number = annotationNames[name] {
      annotation.nameIid = number
      return annotation
    }
    let number = UInt64(annotationNames.count + 1)
    annotationNames[name] = number
    var entry = Lapwing_Perfetto_DebugAnnotationName()
    entry.iid = number
    entry.name = name
    interned.debugAnnotationNames.append(entry)
    hasInterned = true
    annotation.nameIid = number
    return annotation
  }

  /// Writes an event.
  mutating func write(_ event: Event, at time: Int64, into output: inout [UInt8]) {
    if hasInterned {
      var packet = Packet()
      packet.internedData = interned
      write(&packet, into: &output)
      interned = Lapwing_Perfetto_InternedData()
      hasInterned = false
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
