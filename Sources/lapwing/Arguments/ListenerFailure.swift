import Support
import SystemPackage

extension LocalListener.Address {
  /// Why nothing can connect there.
  func failure(of option: String, _ error: Errno) -> Failure {
    switch (self, error) {
    case (.port(let port), .addressInUse):
      Failure("\(option) \(port): another program listens at that port; 0 takes one that is free", .hostCannot)
    case (.port(let port), let error): Failure("\(option) \(port): \(error)", .hostCannot)
    case (.path(let path), .addressInUse):
      Failure("\(option) '\(path)': another program listens at that socket", .hostCannot)
    case (.path(let path), .fileExists):
      Failure("\(option) '\(path)': there is something else, which is left alone; name a path that is free", .badFile)
    case (.path(let path), .notPermitted):
      Failure("\(option) '\(path)': there is another user's socket; name a path that is free", .badFile)
    case (.path(let path), .fileNameTooLong):
      Failure("\(option) '\(path)': a socket's path has 107 bytes at most (unix(7))", .usage)
    case (.path(let path), let error): Failure("\(option) '\(path)': \(error)", .badFile)
    }
  }
}
