import APIC
import Testing

@Suite struct PriorityTests {
  @Test func `a priority is a class and a subclass`() {
    var priority = Priority(class: 0xa, subclass: 3)
    #expect(priority.rawValue == 0xa3)
    priority.class = 2
    #expect(priority == 0x23)
    #expect(priority.subclass == 3)
    #expect(priority.description == "0x23")
  }

  @Test(
    arguments: [
      (0x00, nil, 0x00),  // nothing in service: the task's
      (0x35, nil, 0x35),
      (0x35, 0x2f, 0x35),  // the task is above: the task's, subclass and all
      (0x35, 0x41, 0x40),  // the interrupt is above: its class alone
      (0x35, 0x3f, 0x35),  // the classes are equal: the task's, as KVM has it
    ] as [(Priority, Vector?, Priority)])
  func `the processor runs at the higher of two classes`(task: Priority, inService: Vector?, processor: Priority) {
    #expect(Priority.processorPriority(taskPriority: task, highestInService: inService) == processor)
  }

  @Test(
    arguments: [
      (0x00, 0x10, true), (0x00, 0x0f, false), (0x40, 0x4f, false), (0x4f, 0x50, true), (0xf0, 0xff, false),
    ] as [(Priority, Vector, Bool)])
  func `a vector must be of a higher class than the priority`(priority: Priority, vector: Vector, isAllowed: Bool) {
    #expect(priority.allows(vector) == isAllowed)
  }
}
