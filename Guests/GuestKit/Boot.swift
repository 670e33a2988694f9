import GuestContract
import GuestMachine

/// What the host says about this machine.
var bootPage: UnsafePointer<BootPage> { guest_boot_page }

/// Where the entry code leads every processor, on its own stack and with interrupts off.
@c(guest_enter) func enter() {
  let index = processor_index()
  if index == 0 {
    guest_main()
  } else {
    processors.run(index)
  }
}
