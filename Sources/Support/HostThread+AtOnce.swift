import Glibc
public import SystemPackage

extension HostThread {
  /// Runs something several times at the same time, once on this thread and else on threads of their own, and waits for all.
  ///
  /// - Parameters:
  ///   - count: How often.
  ///   - body: What is run, with its number from 0 on.
  /// - Throws: The error of pthread_create(3); whatever was started has ended then.
  public static func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws(Errno) {
    var threads: [pthread_t] = []
    defer { for thread in threads { pthread_join(thread, nil) } }
    for number in 1..<max(1, count) { threads.append(try start { body(number) }) }
    if count > 0 { body(0) }
  }
}
