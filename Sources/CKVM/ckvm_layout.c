// The layout that the library relies on, checked when it is compiled. Sizes and offsets are the x86-64 ABI's.
#include "CKVM.h"

#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "size of struct " #type)
#define OFFSET(type, field, offset) \
  _Static_assert(offsetof(struct type, field) == (offset), "offset of " #field " in struct " #type)
// Entries of a flexible array follow their header at once, which is what Swift's FlexibleArray assumes.
#define FOLLOWS(type, field) OFFSET(type, field, sizeof(struct type))

SIZE(kvm_userspace_memory_region, 32);
SIZE(kvm_dirty_log, 16);
SIZE(kvm_clear_dirty_log, 24);
SIZE(kvm_enable_cap, 104);
SIZE(kvm_clock_data, 48);
SIZE(kvm_msr_filter, 392);

SIZE(kvm_irqchip, 520);
OFFSET(kvm_irqchip, chip, 8);
SIZE(kvm_pic_state, 16);
SIZE(kvm_ioapic_state, 216);
_Static_assert(KVM_IOAPIC_NUM_PINS == 24, "pins of the IOAPIC");
OFFSET(kvm_ioapic_state, redirtbl, 24);
SIZE(kvm_irq_level, 8);
SIZE(kvm_irq_routing_entry, 48);
OFFSET(kvm_irq_routing_entry, u, 16);
SIZE(kvm_msi, 32);
SIZE(kvm_irqfd, 32);
SIZE(kvm_ioeventfd, 64);
SIZE(kvm_pit_config, 64);
SIZE(kvm_pit_channel_state, 24);
SIZE(kvm_pit_state2, 112);
SIZE(kvm_reinject_control, 32);

SIZE(kvm_lapic_state, 256 * sizeof(uint32_t));
SIZE(kvm_vapic_addr, 8);
SIZE(kvm_tpr_access_ctl, 40);
SIZE(kvm_mp_state, 4);
SIZE(kvm_interrupt, 4);
SIZE(kvm_guest_debug, 72);
SIZE(kvm_translation, 24);

SIZE(kvm_regs, 144);
SIZE(kvm_segment, 24);
SIZE(kvm_dtable, 16);
SIZE(kvm_sregs, 312);
SIZE(kvm_sregs2, 320);
SIZE(kvm_fpu, 416);
SIZE(kvm_xcrs, 392);
SIZE(kvm_debugregs, 128);
SIZE(kvm_vcpu_events, 64);
SIZE(kvm_xsave, 4096);
SIZE(kvm_nested_state, 128);
SIZE(kvm_msr_entry, 16);
SIZE(kvm_cpuid_entry2, 40);
SIZE(kvm_stats_header, 24);

FOLLOWS(kvm_cpuid2, entries);
FOLLOWS(kvm_irq_routing, entries);
FOLLOWS(kvm_msr_list, indices);
FOLLOWS(kvm_msrs, entries);
FOLLOWS(kvm_signal_mask, sigset);
FOLLOWS(kvm_stats_desc, name);

SIZE(kvm_run, 2352);
OFFSET(kvm_run, immediate_exit, 1);
OFFSET(kvm_run, exit_reason, 8);
OFFSET(kvm_run, cr8, 16);
OFFSET(kvm_run, io, 32);
OFFSET(kvm_run, mmio, 32);
OFFSET(kvm_run, padding, 32);
OFFSET(kvm_run, kvm_valid_regs, 288);
OFFSET(kvm_run, s, 304);
