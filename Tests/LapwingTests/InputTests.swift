import Foundation
import TestImages
import Testing

/// What the guest's serial console receives.
@Suite(.needsKVM) struct InputTests {
  /// Sends back every character that it receives, and ends at a full stop: mov edx, 0x3fd; in al, dx; test al, 1; jz;
  /// mov edx, 0x3f8; in al, dx; out dx, al; cmp al, '.'; jne to the start.
  private static let echo = Code(.long)
    .then([0xba, 0xfd, 0x03, 0, 0, 0xec, 0xa8, 0x01, 0x74, 0xf6, 0xba, 0xf8, 0x03, 0, 0, 0xec, 0xee, 0x3c, 0x2e])
    .then([0x75, 0xeb]).debugExit(0)

  @Test func `a guest reads a file from its serial console, all of it and in order`() throws {
    let text = (0..<500).map { "line \($0)\n" }.joined() + "."
    let (image, input) = (try GuestFile(ELFImage(code: Self.echo.bytes).bytes), try GuestFile(Array(text.utf8)))
    let result = try Program.run(["run", image.path, "--quiet", "--input", input.path, "--timeout", "60s"])
    #expect(result.status == 0)
    #expect(result.output == text)
  }

  @Test func `a file that is not there is told before anything runs`() throws {
    let result = try Program.run(["run", "hello", "--input", "/no/such/file"])
    #expect(result.status == 65)
    #expect(result.errors == "lapwing: cannot read the input '/no/such/file': No such file or directory\n")
    #expect(result.output == "")
  }

  @Test func `without input a guest that waits for some in HLT is told that nothing can come`() throws {
    let image = try GuestFile(ELFImage(code: Code(.long).then([0xfb, 0xf4, 0xeb, 0xfd]).bytes).bytes)
    let result = try Program.run(["run", image.path, "--timeout", "60s"])
    #expect(result.status == 1)
    #expect(result.output.contains("nothing can wake one"))
  }

  /// Opened for reading and writing by the test, so that neither its reader nor its end ever comes.
  @Test(arguments: [
    ["run", "hello", "--input", "PIPE"], ["run", "hello", "--inject-file", "PIPE"], ["run", "PIPE"],
    ["restore", "PIPE"],
    ["snapshot", "PIPE", "--at", "exit:1", "--output", "/dev/null/s"],
  ])
  func `a pipe that never ends is waited for until the time limit, or a signal`(arguments: [String]) throws {
    let folder = try Folder()
    try folder.makeNode("pipe", S_IFIFO)
    let end = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path("pipe")))
    defer { try? end.close() }
    let arguments = arguments.map { $0 == "PIPE" ? folder.path("pipe") : $0 == "/dev/null/s" ? folder.path("s") : $0 }
    let late = try Program.run(arguments + ["--timeout", "1s"])
    #expect(late.status == 124 && late.errors.contains("did not come to its end before the time limit"), "\(late)")
    let asked = try Program(arguments + ["--timeout", "1h"])
    // Where it is, nothing tells; whenever the signal comes it has to end.
    Thread.sleep(forTimeInterval: 0.3)
    asked.signal(SIGTERM)
    _ = try asked.result()
  }
}
