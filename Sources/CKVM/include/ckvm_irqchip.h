// The in-kernel interrupt controllers of a VM and the ways into them.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// KVM_CREATE_IRQCHIP: two PICs, an IOAPIC, default routes, and a local APIC for every vCPU created later.
// EEXIST: there is one. EINVAL: a vCPU exists already.
static inline int ckvm_create_irqchip(int vm) { return ckvm_ioctl_value(vm, KVM_CREATE_IRQCHIP, 0); }

// KVM_GET_IRQCHIP of KVM_IRQCHIP_PIC_MASTER or _SLAVE. ENXIO: no in-kernel PIC.
static inline int ckvm_get_pic(int vm, uint32_t chip, struct kvm_pic_state *state) {
  struct kvm_irqchip request = {.chip_id = chip};
  int result = ckvm_ioctl_pointer(vm, KVM_GET_IRQCHIP, &request);
  if (result >= 0) *state = request.chip.pic;
  return result;
}

// KVM_SET_IRQCHIP of KVM_IRQCHIP_PIC_MASTER or _SLAVE. ENXIO: no in-kernel PIC.
static inline int ckvm_set_pic(int vm, uint32_t chip, const struct kvm_pic_state *state) {
  struct kvm_irqchip request = {.chip_id = chip, .chip.pic = *state};
  return ckvm_ioctl_pointer(vm, KVM_SET_IRQCHIP, &request);
}

// KVM_GET_IRQCHIP of KVM_IRQCHIP_IOAPIC. ENXIO: no in-kernel IOAPIC.
static inline int ckvm_get_ioapic(int vm, struct kvm_ioapic_state *state) {
  struct kvm_irqchip request = {.chip_id = KVM_IRQCHIP_IOAPIC};
  int result = ckvm_ioctl_pointer(vm, KVM_GET_IRQCHIP, &request);
  if (result >= 0) *state = request.chip.ioapic;
  return result;
}

// KVM_SET_IRQCHIP of KVM_IRQCHIP_IOAPIC. ENXIO: no in-kernel IOAPIC.
static inline int ckvm_set_ioapic(int vm, const struct kvm_ioapic_state *state) {
  struct kvm_irqchip request = {.chip_id = KVM_IRQCHIP_IOAPIC, .chip.ioapic = *state};
  return ckvm_ioctl_pointer(vm, KVM_SET_IRQCHIP, &request);
}

// A redirection entry's 64 bits, 0 past the last pin.
static inline uint64_t ckvm_ioapic_entry(const struct kvm_ioapic_state *state, uint32_t pin) {
  return pin < KVM_IOAPIC_NUM_PINS ? state->redirtbl[pin].bits : 0;
}

// Sets a redirection entry's 64 bits; nothing past the last pin.
static inline void ckvm_ioapic_set_entry(struct kvm_ioapic_state *state, uint32_t pin, uint64_t bits) {
  if (pin < KVM_IOAPIC_NUM_PINS) state->redirtbl[pin].bits = bits;
}

// KVM_SET_GSI_ROUTING: replaces the whole table. EINVAL: unknown type or flags, a GSI beyond KVM_MAX_IRQ_ROUTES, a pin
// that the chip lacks, or two MSI routes for one GSI. E2BIG: more than KVM_CAP_IRQ_ROUTING entries.
static inline int ckvm_set_gsi_routing(int vm, const struct kvm_irq_routing *table) {
  return ckvm_ioctl_pointer(vm, KVM_SET_GSI_ROUTING, table);
}

// A routing entry to a pin of an interrupt controller.
static inline struct kvm_irq_routing_entry ckvm_route_irqchip(uint32_t gsi, uint32_t chip, uint32_t pin) {
  return (struct kvm_irq_routing_entry){
      .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {.irqchip = chip, .pin = pin}};
}

// A routing entry to an MSI.
static inline struct kvm_irq_routing_entry ckvm_route_msi(uint32_t gsi, uint64_t address, uint32_t data) {
  return (struct kvm_irq_routing_entry){
      .gsi = gsi,
      .type = KVM_IRQ_ROUTING_MSI,
      .u.msi = {.address_lo = (uint32_t)address, .address_hi = (uint32_t)(address >> 32), .data = data}};
}

// A routing entry to a Hyper-V synthetic interrupt source.
static inline struct kvm_irq_routing_entry ckvm_route_hv_sint(uint32_t gsi, uint32_t vcpu, uint32_t sint) {
  return (struct kvm_irq_routing_entry){
      .gsi = gsi, .type = KVM_IRQ_ROUTING_HV_SINT, .u.hv_sint = {.vcpu = vcpu, .sint = sint}};
}

// KVM_IRQ_LINE: the level of a GSI. ENXIO: no in-kernel interrupt controller.
static inline int ckvm_irq_line(int vm, uint32_t gsi, uint32_t level) {
  struct kvm_irq_level line = {.irq = gsi, .level = level};
  return ckvm_ioctl_pointer(vm, KVM_IRQ_LINE, &line);
}

// KVM_IRQ_LINE_STATUS: the same, and stores what became of it: < 0 ignored, 0 coalesced, > 0 how many CPUs got it.
static inline int ckvm_irq_line_status(int vm, uint32_t gsi, uint32_t level, int32_t *status) {
  struct kvm_irq_level line = {.irq = gsi, .level = level};
  int result = ckvm_ioctl_pointer(vm, KVM_IRQ_LINE_STATUS, &line);
  if (result >= 0) *status = line.status;
  return result;
}

// KVM_SIGNAL_MSI: > 0 delivered, 0 the guest blocked it. EINVAL: no in-kernel local APIC, or a malformed message.
static inline int ckvm_signal_msi(int vm, uint64_t address, uint32_t data) {
  struct kvm_msi message = {
      .address_lo = (uint32_t)address, .address_hi = (uint32_t)(address >> 32), .data = data};
  return ckvm_ioctl_pointer(vm, KVM_SIGNAL_MSI, &message);
}

// KVM_IRQFD: a write to the eventfd raises the GSI. flags: KVM_IRQFD_FLAG_DEASSIGN, KVM_IRQFD_FLAG_RESAMPLE (the line
// falls at EOI and resample_event is signalled). EBUSY: the eventfd is taken. EINVAL: no interrupt controller.
static inline int ckvm_irqfd(int vm, int event, uint32_t gsi, uint32_t flags, int resample_event) {
  struct kvm_irqfd request = {
      .fd = (uint32_t)event, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resample_event};
  return ckvm_ioctl_pointer(vm, KVM_IRQFD, &request);
}

// KVM_IOEVENTFD: a guest write there signals the eventfd instead of leaving to user space. length 0: any.
// EEXIST: taken. ENOENT: nothing like it to deassign. EINVAL: length, overflow or flags.
static inline int ckvm_ioeventfd(
    int vm, int event, uint64_t address, uint32_t length, uint64_t match, uint32_t flags) {
  struct kvm_ioeventfd request = {
      .datamatch = match, .addr = address, .len = length, .fd = event, .flags = flags};
  return ckvm_ioctl_pointer(vm, KVM_IOEVENTFD, &request);
}

#pragma clang assume_nonnull end
