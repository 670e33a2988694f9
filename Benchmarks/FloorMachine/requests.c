// Interrupts that a guest asks for from outside: the calls of KVM and nothing else.
#include "requests.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int64_t answer(int result) { return result < 0 ? -errno : result; }

static int64_t signal_msi(floor_machine *machine, const lapwing_request *request) {
  struct kvm_msi message = {
      .address_lo = (uint32_t)request->address, .address_hi = (uint32_t)(request->address >> 32), .data = request->data};
  return answer(ioctl(machine->vm, KVM_SIGNAL_MSI, &message));
}

// The one route replaces all: no guest that uses it has need of lines.
static int64_t route_msi(floor_machine *machine, const lapwing_request *request) {
  _Alignas(struct kvm_irq_routing) unsigned char bytes[sizeof(struct kvm_irq_routing) + sizeof(struct kvm_irq_routing_entry)];
  struct kvm_irq_routing *routes = (struct kvm_irq_routing *)bytes;
  *routes = (struct kvm_irq_routing){.nr = 1};
  routes->entries[0] = (struct kvm_irq_routing_entry){
      .gsi = request->gsi,
      .type = KVM_IRQ_ROUTING_MSI,
      .u.msi = {
          .address_lo = (uint32_t)request->address,
          .address_hi = (uint32_t)(request->address >> 32),
          .data = request->data}};
  return answer(ioctl(machine->vm, KVM_SET_GSI_ROUTING, routes));
}

// The irqfd of the one GSI that a guest uses, assigned at the first call.
static int irqfd(floor_machine *machine, uint32_t gsi) {
  if (machine->irqfd >= 0) return machine->irqfd;
  int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct kvm_irqfd assignment = {.fd = (uint32_t)event, .gsi = gsi};
  if (event < 0 || ioctl(machine->vm, KVM_IRQFD, &assignment) < 0) return -1;
  return machine->irqfd = event;
}

static int64_t trigger(floor_machine *machine, const lapwing_request *request) {
  const uint64_t one = 1;
  int event = irqfd(machine, request->gsi);
  return event < 0 || write(event, &one, sizeof one) < 0 ? -errno : 0;
}

static int64_t assign_io_event(floor_machine *machine, const lapwing_request *request) {
  int event = request->level ? irqfd(machine, request->gsi) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return -errno;
  if (!request->level) machine->io_event = event;
  struct kvm_ioeventfd assignment = {
      .addr = request->data & 0xffff, .len = 4, .fd = event, .flags = KVM_IOEVENTFD_FLAG_PIO};
  return answer(ioctl(machine->vm, KVM_IOEVENTFD, &assignment));
}

void carry_out(floor_machine *machine, lapwing_request *request) {
  switch (request->kind) {
    case LAPWING_REQUEST_SIGNAL_MSI:
      request->result = signal_msi(machine, request);
      break;
    case LAPWING_REQUEST_ROUTE_MSI:
      request->result = route_msi(machine, request);
      break;
    case LAPWING_REQUEST_TRIGGER_IRQFD:
      request->result = trigger(machine, request);
      break;
    case LAPWING_REQUEST_ASSIGN_IOEVENT:
      request->result = assign_io_event(machine, request);
      break;
    default:
      request->result = -ENOSYS;
  }
}
