// struct kvm_run, the page that KVM_RUN and user space share. Its union is anonymous, so each exit's fields leave
// through a structure with a name, by value. Only exit_reason says which one holds.
#pragma once

#include "ckvm_call.h"

#pragma clang assume_nonnull begin

// immediate_exit: 1 makes KVM_RUN return EINTR at once. Safe from any thread and from a signal handler.
static inline void ckvm_run_set_immediate_exit(struct kvm_run *run, uint8_t value) {
  __atomic_store_n(&run->immediate_exit, value, __ATOMIC_SEQ_CST);
}
static inline uint8_t ckvm_run_immediate_exit(const struct kvm_run *run) {
  return __atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST);
}

// KVM_EXIT_IO.
struct ckvm_io_exit {
  uint8_t is_write, size;
  uint16_t port;
  uint32_t count;
  uint64_t data_offset;  // from the start of struct kvm_run
};
static inline struct ckvm_io_exit ckvm_run_io(const struct kvm_run *run) {
  return (struct ckvm_io_exit){
      run->io.direction == KVM_EXIT_IO_OUT, run->io.size, run->io.port, run->io.count, run->io.data_offset};
}

// KVM_EXIT_MMIO. data is the first length bytes, least significant first.
struct ckvm_mmio_exit {
  uint64_t address, data;
  uint32_t length;
  uint8_t is_write;
};
static inline struct ckvm_mmio_exit ckvm_run_mmio(const struct kvm_run *run) {
  struct ckvm_mmio_exit answer = {run->mmio.phys_addr, 0, run->mmio.len, run->mmio.is_write};
  __builtin_memcpy(&answer.data, run->mmio.data, sizeof answer.data);
  return answer;
}
static inline void ckvm_run_set_mmio_data(struct kvm_run *run, uint64_t data) {
  __builtin_memcpy(run->mmio.data, &data, sizeof data);
}

// KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR.
struct ckvm_msr_exit {
  uint32_t reason, index;
  uint64_t data;
};
static inline struct ckvm_msr_exit ckvm_run_msr(const struct kvm_run *run) {
  return (struct ckvm_msr_exit){run->msr.reason, run->msr.index, run->msr.data};
}
// error 1 makes the guest's access raise #GP.
static inline void ckvm_run_set_msr(struct kvm_run *run, uint64_t data, uint8_t error) {
  run->msr.data = data;
  run->msr.error = error;
}

// KVM_EXIT_INTERNAL_ERROR. count is never more than the 16 words there are.
static inline uint32_t ckvm_run_internal_suberror(const struct kvm_run *run) { return run->internal.suberror; }
static inline uint32_t ckvm_run_internal_count(const struct kvm_run *run) {
  return run->internal.ndata < 16 ? run->internal.ndata : 16;
}
static inline uint64_t ckvm_run_internal_word(const struct kvm_run *run, uint32_t index) {
  return index < 16 ? run->internal.data[index] : 0;
}
// KVM_INTERNAL_ERROR_EMULATION: how many instruction bytes KVM gave (0 to 15), and each.
static inline uint32_t ckvm_run_instruction_size(const struct kvm_run *run) {
  if (run->emulation_failure.ndata < 3) return 0;
  if (!(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) return 0;
  return run->emulation_failure.insn_size < 15 ? run->emulation_failure.insn_size : 15;
}
static inline uint8_t ckvm_run_instruction_byte(const struct kvm_run *run, uint32_t index) {
  return index < 15 ? run->emulation_failure.insn_bytes[index] : 0;
}

// KVM_EXIT_SYSTEM_EVENT. count is never more than the 16 words there are.
static inline uint32_t ckvm_run_event_type(const struct kvm_run *run) { return run->system_event.type; }
static inline uint32_t ckvm_run_event_count(const struct kvm_run *run) {
  return run->system_event.ndata < 16 ? run->system_event.ndata : 16;
}
static inline uint64_t ckvm_run_event_word(const struct kvm_run *run, uint32_t index) {
  return index < 16 ? run->system_event.data[index] : 0;
}

// KVM_EXIT_FAIL_ENTRY.
struct ckvm_fail_entry_exit {
  uint64_t reason;
  uint32_t cpu;
};
static inline struct ckvm_fail_entry_exit ckvm_run_fail_entry(const struct kvm_run *run) {
  return (struct ckvm_fail_entry_exit){run->fail_entry.hardware_entry_failure_reason, run->fail_entry.cpu};
}

// KVM_EXIT_EXCEPTION.
struct ckvm_exception_exit {
  uint32_t vector, error_code;
};
static inline struct ckvm_exception_exit ckvm_run_exception(const struct kvm_run *run) {
  return (struct ckvm_exception_exit){run->ex.exception, run->ex.error_code};
}

// KVM_EXIT_DEBUG.
static inline struct kvm_debug_exit_arch ckvm_run_debug(const struct kvm_run *run) { return run->debug.arch; }

// KVM_EXIT_HYPERCALL.
struct ckvm_hypercall_exit {
  uint64_t number, arguments[6];
};
static inline struct ckvm_hypercall_exit ckvm_run_hypercall(const struct kvm_run *run) {
  struct ckvm_hypercall_exit answer = {.number = run->hypercall.nr};
  __builtin_memcpy(answer.arguments, run->hypercall.args, sizeof answer.arguments);
  return answer;
}
static inline void ckvm_run_set_hypercall_result(struct kvm_run *run, uint64_t result) { run->hypercall.ret = result; }

// KVM_EXIT_HYPERV of type KVM_EXIT_HYPERV_SYNIC: what the guest wrote, and the registers as they are then.
struct ckvm_synic_exit {
  uint32_t msr;
  uint64_t control, event_page, message_page;
};
static inline struct ckvm_synic_exit ckvm_run_synic(const struct kvm_run *run) {
  return (struct ckvm_synic_exit){
      run->hyperv.u.synic.msr, run->hyperv.u.synic.control, run->hyperv.u.synic.evt_page, run->hyperv.u.synic.msg_page};
}

// KVM_EXIT_HYPERV of type KVM_EXIT_HYPERV_HCALL: RCX, RDX and R8 of the call; the result goes to RAX.
struct ckvm_hyperv_call_exit {
  uint64_t input, parameters[2];
};
static inline struct ckvm_hyperv_call_exit ckvm_run_hyperv_call(const struct kvm_run *run) {
  return (struct ckvm_hyperv_call_exit){
      run->hyperv.u.hcall.input, {run->hyperv.u.hcall.params[0], run->hyperv.u.hcall.params[1]}};
}
static inline void ckvm_run_set_hyperv_result(struct kvm_run *run, uint64_t result) {
  run->hyperv.u.hcall.result = result;
}

// KVM_EXIT_TPR_ACCESS.
struct ckvm_tpr_exit {
  uint64_t rip;
  uint32_t is_write;
};
static inline struct ckvm_tpr_exit ckvm_run_tpr_access(const struct kvm_run *run) {
  return (struct ckvm_tpr_exit){run->tpr_access.rip, run->tpr_access.is_write};
}

// KVM_EXIT_IOAPIC_EOI's vector, KVM_EXIT_NOTIFY's flags, KVM_EXIT_HYPERV's type, KVM_EXIT_UNKNOWN's hardware reason.
static inline uint8_t ckvm_run_eoi_vector(const struct kvm_run *run) { return run->eoi.vector; }
static inline uint32_t ckvm_run_notify_flags(const struct kvm_run *run) { return run->notify.flags; }
static inline uint32_t ckvm_run_hyperv_type(const struct kvm_run *run) { return run->hyperv.type; }
static inline uint64_t ckvm_run_hardware_reason(const struct kvm_run *run) { return run->hw.hardware_exit_reason; }

// KVM_EXIT_MEMORY_FAULT (KVM_CAP_MEMORY_FAULT_INFO), which older headers lack: three words at the union's start.
struct ckvm_memory_fault_exit {
  uint64_t flags, address, size;
};
static inline struct ckvm_memory_fault_exit ckvm_run_memory_fault(const struct kvm_run *run) {
  struct ckvm_memory_fault_exit answer;
  __builtin_memcpy(&answer, run->padding, sizeof answer);
  return answer;
}

#pragma clang assume_nonnull end
