import Testing

/// Expects that what a step answers is as it should be. The macro alone takes no step that changes the machine.
func same<Value: Equatable>(_ seen: Value, _ expected: Value, _ location: SourceLocation = #_sourceLocation) {
  #expect(seen == expected, sourceLocation: location)
}
