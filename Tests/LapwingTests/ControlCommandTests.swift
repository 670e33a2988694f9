import Foundation
import TestImages
import Testing

/// Requests to a machine that runs: `lapwing run --control`.
@Suite(.needsKVM) struct ControlCommandTests {
  /// A guest that runs until somebody ends it, or sends it vector 0x40, with its socket.
  private struct Run {
    let folder: Folder
    let image: GuestFile
    let program: Program
    var path: String { folder.path("control") }

    init(_ options: [String] = [], bytes: [UInt8] = MultibootImage.waitingForInterrupt.bytes) throws {
      folder = try Folder()
      image = try GuestFile(bytes)
      program = try Program(
        ["run", image.path, "--timeout", "150s", "--control", folder.path("control")] + options)
      let (program, path) = (program, folder.path("control"))
      try #require(program.wait { FileManager.default.fileExists(atPath: path) })
    }

    func connect() throws -> ControlConnection { try ControlConnection(path) }

    /// Ends a guest that would go on.
    func stop() throws -> Program.Result {
      _ = try connect().ask(#"{"verb":"stop"}"#)
      return try program.result()
    }
  }

  /// The guest may not be set up yet: it is asked until somebody takes the message.
  private func interrupt(_ client: ControlConnection) -> Bool {
    let deadline = ContinuousClock.now + .seconds(50)
    while ContinuousClock.now < deadline {
      let answer = client.ask(#"{"verb":"msi","address":"0xfee00000","data":"0x40"}"#)
      if answer == #"{"ok":true,"answer":"delivered","destinations":1}"# { return true }
      guard answer != nil else { return false }
    }
    return false
  }

  @Test func `a guest that is halted waits for a client, whose message wakes it`() throws {
    let run = try Run()
    let client = try run.connect()
    // The notice shows that the machine was looked at and not ended.
    let notice = run.program.wait { run.program.errorsSoFar.contains("a request at the control socket could come") }
    #expect(notice)
    #expect(interrupt(client))
    #expect(try run.program.result().status == 0)
    #expect(client.line() == nil)
    #expect(run.folder.names == [])
  }

  @Test func `the socket is its user's alone`() throws {
    let run = try Run()
    let attributes = try FileManager.default.attributesOfItem(atPath: run.path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let result = try run.stop()
    #expect(result.status == 1)
    #expect(result.output.contains("the machine was stopped from outside"))
  }

  @Test func `a guest that is paused stands still until it may go on, whoever says so`() throws {
    // It prints without end.
    let run = try Run(["--quiet"], bytes: ELFImage(code: Code(.long).print("a").forever().bytes).bytes)
    let (one, other) = (try run.connect(), try run.connect())
    func exits() throws -> Int {
      let answer = try #require(other.ask(#"{"verb":"statistics"}"#))
      let object = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
      return try #require((object?["vcpus"] as? [[String: Any]])?.first?["exits"] as? Int)
    }
    #expect(one.ask(#"{"id":1,"verb":"pause"}"#) == #"{"id":1,"ok":true}"#)
    #expect(other.ask(#"{"id":2,"verb":"pause"}"#)?.contains("paused already") == true)
    let before = try exits()
    // The inspection takes the vCPUs through KVM's loop, as a fence.
    #expect(other.ask(#"{"verb":"inspect"}"#)?.contains("lapwing.machine-state") == true)
    let after = try exits()
    #expect(after - before < 10)
    #expect(other.ask(#"{"verb":"resume"}"#)?.hasPrefix(#"{"ok":true,"paused":"#) == true)
    #expect(one.ask(#"{"verb":"resume"}"#)?.contains("not paused") == true)
    #expect(try run.program.wait { ((try? exits()) ?? 0) > after + 100 } && exits() > after)
    #expect(try run.stop().status == 1)
  }

  @Test func `a snapshot that a client asks for goes on like any other`() throws {
    let run = try Run()
    let file = run.folder.path("state.json")
    #expect(
      try run.connect().ask(#"{"verb":"snapshot","file":"\#(file)"}"#)?.hasPrefix(#"{"ok":true,"pages":"#) == true)
    #expect(try run.connect().ask(#"{"verb":"snapshot","file":"/no/such"}"#)?.contains("cannot write") == true)
    _ = try run.stop()
    let result = try Program.run(["restore", file, "--inject", "msi:0xfee00000:0x40@300ms", "--timeout", "50s"])
    #expect(result.status == 0)
  }

  @Test func `what a client asks for is in the report, in the order in which it came and with what became of it`()
    throws
  {
    let run = try Run(["--format", "json", "--inject", "irqfd:31@1ms"])
    let client = try run.connect()
    #expect(client.ask(#"{"verb":"line","gsi":20,"level":"pulse"}"#)?.contains("ignored") == true)
    #expect(client.ask(#"{"verb":"nmi","vcpu":7}"#)?.contains(#""ok":false"#) == true)
    #expect(interrupt(client))
    let result = try run.program.result()
    #expect(result.status == 0)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let all = try #require(document["injections"] as? [[String: Any]])
    let requests = all.filter { $0["from"] as? String == "control" }
    #expect(requests.first?["stimulus"] as? String == "line:20=pulse")
    #expect(requests.first?["answer"] as? String == "ignored")
    #expect(requests.last?["stimulus"] as? String == "msi:0xfee00000:0x40")
    #expect(requests.last?["answer"] as? String == "delivered")
    #expect(requests.allSatisfy { $0["moment"] == nil })
    let own = all.filter { $0["from"] as? String == "option" }
    #expect(own.compactMap { $0["moment"] as? String } == ["1ms"])
    #expect(requests.allSatisfy { $0["time"] != nil })
    // On a slow host the machine may have ended before the option's moment.
    let times = all.compactMap { $0["time"] as? Int }
    #expect(times == times.sorted())
  }

  @Test func `a client gets the inspector's words, and a format that there is not is told`() throws {
    let run = try Run()
    let client = try run.connect()
    let answer = try #require(client.ask(#"{"id":"x","verb":"inspect","format":"text"}"#))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
    #expect(object["id"] as? String == "x")
    let text = try #require(object["text"] as? String)
    #expect(text.contains("\nvCPU 0: "))
    #expect(text.contains("IOAPIC: IOAPICID"))
    #expect(client.ask(#"{"verb":"inspect","format":"html"}"#)?.contains(#"format is \"json\" or \"text\""#) == true)
    _ = try run.stop()
  }

  @Test func `what is no request is told, and the next is answered`() throws {
    let run = try Run()
    let client = try run.connect()
    #expect(client.ask("hello")?.contains("no JSON") == true)
    #expect(client.ask(String(repeating: "x", count: 70_000))?.contains("at most 65536 bytes") == true)
    #expect(client.ask(#"{"id":3,"verb":"nmi","vcpu":1}"#)?.contains("a vCPU is 0 to 0 here, not 1") == true)
    client.send(Array(#"{"id":4,"verb":"irqfd","gsi":30}"#.utf8))
    client.endSending()
    #expect(client.line() == #"{"id":4,"ok":true,"answer":"sent"}"#)
    #expect(client.line() == nil)
    _ = try run.stop()
  }

  @Test func `a client that asks without end and reads nothing keeps neither the guest nor others waiting`() throws {
    let run = try Run()
    let flood = try run.connect()
    let requests = Array(String(repeating: #"{"verb":"inspect"}"# + "\n", count: 1000).utf8)
    let client = try run.connect()
    // The program stops reading from it at some time, and then reads nothing more, however often it looks at all clients: as
    // often, at least, as it answers the other.
    let deadline = ContinuousClock.now + .seconds(50)
    var isLeftAlone = false
    while !isLeftAlone, ContinuousClock.now < deadline {
      while flood.send(requests, patient: false) > 0, ContinuousClock.now < deadline {}
      for _ in 0..<20 { #expect(client.ask(#"{"verb":"irqfd","gsi":30}"#) == #"{"ok":true,"answer":"sent"}"#) }
      isLeftAlone = flood.send(requests, patient: false) < 0
    }
    #expect(isLeftAlone)
    #expect(client.ask(#"{"id":1,"verb":"line","gsi":20,"level":0}"#)?.hasPrefix(#"{"id":1,"ok":true"#) == true)
    #expect(interrupt(client))
    #expect(try run.program.result().status == 0)
  }

  @Test func `more clients than there may be wait for their turn`() throws {
    let run = try Run()
    var clients = try (0..<16).map { _ in try run.connect() }
    for client in clients { #expect(client.ask(#"{"verb":"irqfd","gsi":30}"#) != nil) }
    let next = try run.connect()
    next.send(Array("{}\n".utf8))
    clients.removeAll()
    #expect(next.line()?.contains("verb is missing") == true)
    _ = try run.stop()
  }

  @Test func `only a dead socket is replaced`() throws {
    let folder = try Folder()
    try folder.write("mine", to: "file")
    let other = try Program.run(["run", "hello", "--control", folder.path("file")])
    #expect(other.status == 65)
    #expect(other.errors.contains("there is something else, which is left alone"))
    #expect(try folder.text("file") == "mine")
    try folder.makeNode("dead", S_IFSOCK)
    #expect(try Program.run(["run", "hello", "--control", folder.path("dead")]).status == 0)
    #expect(folder.names == ["file"])
    let run = try Run()
    let second = try Program.run(["run", "hello", "--control", run.path])
    #expect(second.status == 69)
    #expect(second.errors.contains("another program listens at that socket"))
    _ = try run.stop()
    let long = try Program.run(["run", "hello", "--control", folder.path(String(repeating: "x", count: 100))])
    #expect(long.status == 64)
    #expect(long.errors.contains("107 bytes at most"))
  }
}
