import Support

/// A part of interrupt virtualization, and how scenarios that exercise it are known.
struct CoveredSystem: Sendable {
  /// What it is called.
  let name: String
  /// What it is made of: kernel functions, KVM calls or patterns of their names.
  let parts: [String]

  /// Whether something that a scenario exercises is a part of it.
  func includes(_ exercised: String) -> Bool {
    exercised.split { !($0.isLetter || $0.isNumber || $0 == "_") }
      .contains { word in parts.contains { WildcardPattern($0).matches(word) } }
  }

  private init(_ name: String, _ parts: String...) {
    self.name = name
    self.parts = parts
  }

  /// The systems that the suite sets out to cover, from the local APIC outwards.
  static let all: [CoveredSystem] = [
    CoveredSystem(
      "Local APIC registers", "kvm_lapic_reg_write", "kvm_lapic_reg_read", "apic_mmio_write", "apic_mmio_read",
      "kvm_x2apic_msr_write", "kvm_x2apic_msr_read", "kvm_create_lapic", "kvm_lapic_reset", "apic_set_spiv",
      "kvm_lapic_set_base", "kvm_apic_set_base", "__kvm_apic_set_base", "kvm_apic_set_version",
      "kvm_lapic_readable_reg_mask", "apic_mmio_in_range", "apic_set_eoi", "kvm_lapic_set_tpr", "kvm_apic_set_xapic_id",
      "kvm_apic_set_x2apic_id", "kvm_lapic_msr_write", "kvm_lapic_suppress_eoi_broadcast", "kvm_update_cpuid_runtime"),
    CoveredSystem(
      "Acceptance and priority (IRR, ISR, TPR, PPR)", "__apic_accept_irq", "kvm_apic_set_irq", "apic_update_ppr",
      "__apic_update_ppr", "apic_set_tpr", "apic_find_highest_irr", "apic_find_highest_isr", "kvm_apic_has_interrupt",
      "apic_set_isr", "apic_clear_isr", "kvm_lapic_set_irr", "apic_clear_irr", "kvm_get_apic_interrupt", "apic_enabled",
      "kvm_set_cr8", "kvm_get_cr8", "update_cr8_intercept"),
    CoveredSystem(
      "IPIs (ICR, SELF_IPI, kvm_irq_delivery_to_apic)", "kvm_apic_send_ipi", "kvm_irq_delivery_to_apic",
      "kvm_irq_delivery_to_apic_fast", "kvm_pv_send_ipi", "handle_apic_write", "kvm_x2apic_icr_write", "KVM_HC_SEND_IPI"
    ),
    CoveredSystem(
      "Destinations (physical, logical, lowest priority, APIC map)", "kvm_apic_match_dest", "kvm_recalculate_*",
      "kvm_apic_match_physical_addr", "kvm_apic_match_logical_addr", "kvm_apic_map_get_dest_lapic",
      "kvm_apic_compare_prio", "kvm_vector_to_index", "kvm_apic_broadcast", "kvm_apic_calc_x2apic_ldr",
      "kvm_apic_set_ldr", "kvm_apic_set_dfr", "kvm_lowest_prio_delivery", "kvm_apic_map_get_logical_dest",
      "kvm_apic_disabled_lapic_found", "KVM_X2APIC_API_*", "kvm_apic_present"),
    CoveredSystem(
      "INIT and SIPI (kvm_apic_accept_events)", "kvm_apic_accept_events", "kvm_vcpu_deliver_sipi_vector",
      "kvm_apic_has_pending_init_or_sipi", "kvm_vcpu_reset", "kvm_apic_init_sipi_allowed"),
    CoveredSystem(
      "NMI", "kvm_inject_nmi", "process_nmi", "kvm_x86_nmi_allowed", "KVM_NMI", "vmx_inject_nmi", "kvm_vcpu_ioctl_nmi",
      "vmx_set_nmi_mask", "APIC_DM_NMI"),
    CoveredSystem(
      "HLT and wake-up", "kvm_vcpu_wake_up", "kvm_vcpu_block", "kvm_vcpu_halt", "kvm_arch_vcpu_runnable",
      "kvm_vcpu_has_events", "kvm_vcpu_kick"),
    CoveredSystem(
      "Local APIC timer", "apic_timer_fn", "start_apic_timer", "__start_apic_timer", "restart_apic_timer",
      "start_sw_timer", "start_hv_timer", "start_sw_tscdeadline", "apic_get_tmcct", "update_divide_count",
      "apic_update_lvtt", "cancel_apic_timer", "kvm_set_lapic_tscdeadline_msr", "kvm_get_lapic_tscdeadline_msr",
      "advance_periodic_target_expiration", "update_target_expiration", "kvm_wait_lapic_expire", "tmict_to_ns",
      "apic_timer_expired", "kvm_apic_has_pending_timer", "kvm_lapic_switch_to_sw_timer",
      "KVM_CAP_X86_APIC_BUS_CYCLES_NS"),
    CoveredSystem(
      "Local vector table", "kvm_apic_local_deliver", "apic_manage_nmi_watchdog", "kvm_apic_nmi_wd_deliver",
      "kvm_lapic_lvt_supported", "apic_lvt_mask"),
    CoveredSystem("PIT (i8254)", "pit_*", "kvm_pit_*", "create_pit_timer", "KVM_REINJECT_CONTROL", "KVM_CREATE_PIT2"),
    CoveredSystem(
      "PIC (i8259)", "kvm_pic_*", "pic_*", "picdev_master_write", "picdev_master_read", "kvm_cpu_get_extint",
      "kvm_cpu_has_extint", "kvm_apic_accept_pic_intr", "elcr_ioport_write", "get_priority", "kvm_set_pic_irq"),
    CoveredSystem("IOAPIC", "ioapic_*", "kvm_ioapic_*", "kvm_set_ioapic_irq"),
    CoveredSystem(
      "GSI routing", "kvm_set_irq_routing", "setup_routing_entry", "kvm_set_routing_entry", "kvm_irq_map_gsi",
      "kvm_setup_default_*", "kvm_setup_empty_irq_routing", "KVM_SET_GSI_ROUTING", "kvm_set_irq",
      "kvm_irq_routing_update"),
    CoveredSystem(
      "MSI", "kvm_set_msi", "kvm_set_msi_irq", "kvm_send_userspace_msi", "KVM_SIGNAL_MSI", "kvm_arch_set_irq_inatomic",
      "x86_msi_msg_get_destid"),
    CoveredSystem(
      "Lines from user space (KVM_IRQ_LINE_STATUS)", "kvm_vm_ioctl_irq_line", "KVM_IRQ_LINE*", "kvm_irq_line_state",
      "__kvm_irq_line_state"),
    CoveredSystem(
      "irqfd and resampling", "irqfd_*", "kvm_irqfd*", "KVM_IRQFD", "KVM_CAP_IRQFD*", "kvm_notify_acked_irq"),
    CoveredSystem(
      "ioeventfd", "ioeventfd_*", "kvm_ioeventfd", "kvm_assign_ioeventfd", "KVM_IOEVENTFD",
      "KVM_CAP_IOEVENTFD_ANY_LENGTH"),
    CoveredSystem(
      "Split irqchip", "KVM_CAP_SPLIT_IRQCHIP", "KVM_EXIT_IOAPIC_EOI", "kvm_scan_ioapic_routes", "kvm_scan_ioapic_irq",
      "kvm_arch_irqchip_in_kernel", "irqchip_split", "kvm_setup_empty_irq_routing", "KVM_REQ_IOAPIC_EOI_EXIT",
      "vcpu_scan_ioapic"),
    CoveredSystem(
      "Buses (port, memory)", "kvm_io_bus_*", "__kvm_io_bus_write", "kernel_pio", "vcpu_mmio_write", "vcpu_mmio_read",
      "emulator_pio_in_out", "emulator_read_write", "KVM_IOEVENTFD", "ioeventfd_write", "apic_mmio_write",
      "apic_mmio_read", "KVM_FAST_MMIO_BUS"),
    CoveredSystem(
      "Interrupt window and shadows", "vmx_enable_irq_window", "kvm_check_and_inject_events",
      "vmx_get_interrupt_shadow",
      "vmx_interrupt_allowed", "kvm_vcpu_ready_for_interrupt_injection", "kvm_arch_interrupt_allowed"),
    CoveredSystem(
      "State of the local APIC (kvm_apic_set_state)", "kvm_apic_set_state", "kvm_apic_get_state",
      "kvm_apic_state_fixup", "KVM_SET_LAPIC", "KVM_GET_LAPIC", "kvm_arch_vcpu_ioctl_get_lapic"),
    CoveredSystem(
      "State of chips and vCPUs", "KVM_SET_IRQCHIP", "KVM_GET_IRQCHIP", "KVM_SET_PIT2", "KVM_GET_PIT2",
      "KVM_SET_MP_STATE",
      "KVM_GET_MP_STATE", "KVM_SET_VCPU_EVENTS", "KVM_GET_VCPU_EVENTS", "KVM_INTERRUPT", "KVM_SET_BOOT_CPU_ID",
      "kvm_get_ioapic", "kvm_set_ioapic", "kvm_vm_ioctl_*", "kvm_arch_vcpu_ioctl_*", "kvm_vcpu_ioctl_interrupt",
      "kvm_vcpu_ioctl_x86_set_vcpu_events", "kvm_vcpu_is_bsp", "kvm_vcpu_is_reset_bsp"),
    CoveredSystem(
      "kvmvapic (KVM_SET_VAPIC_ADDR, TPR reporting)", "kvm_lapic_sync_to_vapic", "kvm_lapic_sync_from_vapic",
      "kvm_lapic_set_vapic_addr", "KVM_SET_VAPIC_ADDR", "KVM_TPR_ACCESS_REPORTING", "__report_tpr_access",
      "report_tpr_access", "kvm_vcpu_ioctl_tpr_access_reporting", "KVM_EXIT_TPR_ACCESS"),
    CoveredSystem(
      "PV EOI", "apic_sync_pv_eoi_to_guest", "apic_sync_pv_eoi_from_guest", "kvm_lapic_set_pv_eoi", "pv_eoi_*",
      "MSR_KVM_PV_EOI_EN"),
    CoveredSystem(
      "APICv activation and inhibits (kvm_vcpu_update_apicv)", "kvm_vcpu_update_apicv", "__kvm_vcpu_update_apicv",
      "kvm_apic_update_apicv", "kvm_set_apicv_inhibit", "kvm_clear_apicv_inhibit", "__kvm_set_or_clear_apicv_inhibit",
      "vmx_refresh_apicv_exec_ctrl", "kvm_vcpu_apicv_activated", "APICV_INHIBIT_REASON_*", "kvm_lapic_xapic_id_updated",
      "KVM_GUESTDBG_BLOCKIRQ"),
    CoveredSystem(
      "Posted interrupts", "vmx_deliver_posted_interrupt", "kvm_vcpu_trigger_posted_interrupt", "pi_*", "vmx_vcpu_pi_*",
      "kvm_sched_out", "kvm_sched_in"),
    CoveredSystem("IPI virtualization", "vmx_can_use_ipiv", "vmx_needs_pi_wakeup", "pid_table", "cpu_has_vmx_ipiv"),
    CoveredSystem(
      "PIR and IRR (vmx_sync_pir_to_irr)", "vmx_sync_pir_to_irr", "kvm_apic_update_irr", "__kvm_apic_update_irr"),
    CoveredSystem(
      "Virtual-interrupt delivery", "vmx_hwapic_irr_update", "vmx_hwapic_isr_update", "vmx_set_rvi",
      "vmx_load_eoi_exitmap", "handle_apic_eoi_induced", "handle_apic_write", "vmx_apicv_post_state_restore",
      "SECONDARY_EXEC_APIC_REGISTER_VIRT", "vmx_update_msr_bitmap_x2apic"),
    CoveredSystem(
      "APIC-access page", "vmx_set_apic_access_page_addr", "kvm_vcpu_reload_apic_access_page",
      "kvm_alloc_apic_access_page",
      "handle_apic_access", "vmx_set_virtual_apic_mode", "KVM_REQ_APIC_PAGE_RELOAD"),
  ]
}
