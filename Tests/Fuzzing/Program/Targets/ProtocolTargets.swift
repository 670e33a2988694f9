import Control
import JSON

@testable import Debugger

/// What comes from other programs: requests, packets, injections and documents.
extension FuzzTarget {
  /// A line at the control socket.
  static let control = FuzzTarget("control", seeds: controlSeeds) { _ = try? ControlRequest(line: $0, vcpus: 2) }

  private static let controlSeeds: [[UInt8]] = [
    #"{"id": 1, "do": "line", "gsi": 20, "level": 1}"#, #"{"do": "msi", "address": "0xfee01000", "data": "0x41"}"#,
    #"{"do": "nmi", "vcpu": 1}"#, #"{"do": "snapshot", "file": "a.json"}"#, #"{"do": "inspect"}"#,
    #"{"do": "statistics"}"#, #"{"do": "pause"}"#, #"{"do": "stop", "id": "x"}"#,
  ].map { Array($0.utf8) }

  /// What gdb sends: packets, with what is between them.
  static let debugger = FuzzTarget("gdb", seeds: debuggerSeeds) { bytes in
    var parser = PacketParser(limit: 4096)
    for byte in bytes {
      if case .packet(let body) = parser.take(byte) { _ = RemoteCommand(body) }
    }
    // And the body of a packet alone, whose checksum no mutation finds.
    _ = RemoteCommand(bytes)
  }

  private static let debuggerSeeds: [[UInt8]] =
    [
      "?", "g", "p10", "m1000,20", "X1000,2:\u{7d}\u{1}", "Z0,100000,1", "vCont;s:p1.1;c", "qSupported:multiprocess+",
      "Hgp1.2",
    ].map {
      Packet.framed(Array($0.utf8))
    } + ["vCont;r1000,1010:1", "qXfer:features:read:target.xml:0,ffb", "qRcmd,6c61706963"].map { Array($0.utf8) }

  /// A file of injections.
  static let injections = FuzzTarget("injections", seeds: [Array(injectionsSeed.utf8)]) { bytes in
    guard let injections = try? InjectionList.parse(bytes, vcpus: 2) else { return }
    try? InjectionList.check(injections)
  }

  private static let injectionsSeed = """
    # four
    line:20=pulse@5ms x10/2ms
    msi:0xfee01000:0x41@mark:ready
    nmi:1@exit:40
    irqfd:24@1s
    """

  /// JSON within small limits.
  static let json = FuzzTarget("json", seeds: jsonSeeds) { bytes in
    _ = try? JSONValue(
      parsing: bytes,
      limits: JSONLimits(bytes: 1 << 16, values: 4096, depth: 16, stringBytes: 1 << 12, takesUnsigned: true))
  }

  private static let jsonSeeds: [[UInt8]] = [
    #"{"a": [1, -2.5e3, true, null, "\u00e4\ud83d\ude00\n"], "b": {"c": 18446744073709551615}}"#, "[[[[[]]]]]", "\"x\"",
  ].map { Array($0.utf8) }
}
