extension Rule {
  /// All rules, by what they are about.
  public static let all: [Rule] = timers + service + identities + lines + chips + execution + clocks
}
