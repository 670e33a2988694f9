import SwiftProtobuf
import Testing

@testable import Timelines

/// The packets of a trace, and what is on its tracks.
struct PacketReader {
  private(set) var packets: [Lapwing_Perfetto_TracePacket] = []
  private var names: [UInt64: String] = [:]
  private var annotationNames: [UInt64: String] = [:]
  private(set) var tracks: [UInt64: Lapwing_Perfetto_TrackDescriptor] = [:]

  init(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while let tag = rest.popFirst() {
      try #require(tag == 0x0a)
      var (length, shift) = (0, 0)
      while let byte = rest.popFirst() {
        length |= Int(byte & 0x7f) << shift
        shift += 7
        if byte & 0x80 == 0 { break }
      }
      try #require(length <= rest.count)
      packets.append(try Lapwing_Perfetto_TracePacket(serializedBytes: Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    for packet in packets {
      for name in packet.internedData.eventNames { names[name.iid] = name.name }
      for name in packet.internedData.debugAnnotationNames { annotationNames[name.iid] = name.name }
      if case .trackDescriptor(let track) = packet.data { tracks[track.uuid] = track }
    }
  }

  /// An event with its name spelt out.
  struct Event: Equatable {
    var time: UInt64
    var type: Lapwing_Perfetto_TrackEvent.TypeEnum
    var name: String
    var value: Int64
    var flows: [UInt64]
    var ends: [UInt64]
    var annotations: [String: Int64]
  }

  /// The events of the tracks of a name, below a vCPU where one is given.
  func events(on name: String, of vcpu: Int? = nil) -> [Event] {
    packets.compactMap { packet in
      guard case .trackEvent(let event) = packet.data, let track = tracks[event.trackUuid] else { return nil }
      let ownName = track.hasThread ? track.thread.threadName : track.name
      guard ownName == name else { return nil }
      if let vcpu, tracks[track.parentUuid]?.thread.threadName != "vCPU \(vcpu)" { return nil }
      var annotations: [String: Int64] = [:]
      for annotation in event.debugAnnotations {
        guard annotation.hasIntValue else { continue }
        annotations[annotationNames[annotation.nameIid] ?? "?"] = annotation.intValue
      }
      return Event(
        time: packet.timestamp, type: event.type, name: event.hasName ? event.name : names[event.nameIid] ?? "",
        value: event.counterValue, flows: event.flowIds, ends: event.terminatingFlowIds, annotations: annotations)
    }
  }

  /// The slices of a track: name, beginning, end.
  func slices(on name: String, of vcpu: Int? = nil) -> [String] {
    var open: [Event] = []
    var found: [String] = []
    let events = events(on: name, of: vcpu).enumerated()
      .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    for event in events {
      if event.type == .sliceBegin { open.append(event) }
      guard event.type == .sliceEnd, let begin = open.popLast() else { continue }
      found.append("\(begin.name) \(begin.time)-\(event.time)")
    }
    return found + open.map { "\($0.name) \($0.time)-" }
  }
}
