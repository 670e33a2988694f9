// What the guest `bench` measures for its host: the words `operation=NUMBER samples=COUNT` of its arguments, and `halted`
// where whoever is to be interrupted halts meanwhile. All but LAPWING_BENCH_SNAPSHOT need nothing of the host but its run.
//
// Each sample is a value record of the log, in TSC cycles: nothing of it leaves the guest while it measures.
#pragma once

// The label of a sample's record.
#define LAPWING_BENCH_SAMPLE "cycles"
// Samples that the guest takes first and keeps to itself: they find cold caches and fresh pages.
#define LAPWING_BENCH_WARM_UPS 8
// A port and an address that no device of the machine claims.
#define LAPWING_BENCH_EVENT_PORT 0x4c60
#define LAPWING_BENCH_ADDRESS 0xfeb00000
// The GSI that irqfds interrupt through, and the vector of every interrupt.
#define LAPWING_BENCH_GSI 24
#define LAPWING_BENCH_VECTOR 0x60

typedef enum LAPWING_ENUM LAPWING_NAME("BenchOperation") lapwing_bench_operation : uint32_t {
  // Nothing between two readings of the TSC: what measuring itself takes.
  LAPWING_BENCH_NOTHING LAPWING_NAME("nothing") = 1,
  // IN from the command port, and OUT of a mark to it.
  LAPWING_BENCH_READ_PORT LAPWING_NAME("readPort") = 2,
  LAPWING_BENCH_WRITE_PORT LAPWING_NAME("writePort") = 3,
  // A read of and a write to LAPWING_BENCH_ADDRESS.
  LAPWING_BENCH_READ_MEMORY LAPWING_NAME("readMemory") = 4,
  LAPWING_BENCH_WRITE_MEMORY LAPWING_NAME("writeMemory") = 5,
  // RDMSR of IA32_MISC_ENABLE, and WRMSR of what is in it.
  LAPWING_BENCH_READ_MSR LAPWING_NAME("readMSR") = 6,
  LAPWING_BENCH_WRITE_MSR LAPWING_NAME("writeMSR") = 7,
  // CPUID of leaf 0.
  LAPWING_BENCH_CPUID LAPWING_NAME("cpuid") = 8,
  // HLT with an interrupt waiting, until its handler.
  LAPWING_BENCH_HALT LAPWING_NAME("halt") = 9,
  // The end of an interrupt's service; a write to the TPR; a write to CR8.
  LAPWING_BENCH_EOI LAPWING_NAME("endOfInterrupt") = 10,
  LAPWING_BENCH_TPR LAPWING_NAME("taskPriority") = 11,
  LAPWING_BENCH_CR8 LAPWING_NAME("writeCR8") = 12,
  // From before the write to the ICR to the handler: on this vCPU, on another.
  LAPWING_BENCH_SELF_IPI LAPWING_NAME("selfIPI") = 13,
  LAPWING_BENCH_IPI LAPWING_NAME("ipi") = 14,
  // From before the OUT that asks the host for it to the handler on another vCPU: KVM_SIGNAL_MSI, a write to an irqfd.
  LAPWING_BENCH_SIGNAL_MSI LAPWING_NAME("signalMSI") = 15,
  LAPWING_BENCH_IRQFD LAPWING_NAME("irqfd") = 16,
  // An OUT that signals an eventfd; and from before it to the handler on another vCPU, where the eventfd is an irqfd.
  LAPWING_BENCH_WRITE_EVENT LAPWING_NAME("writeEvent") = 17,
  LAPWING_BENCH_EVENT_IRQFD LAPWING_NAME("eventIRQFD") = 18,
  // From the moment for which the local APIC's timer was set to the handler.
  LAPWING_BENCH_ONE_SHOT LAPWING_NAME("oneShot") = 19,
  LAPWING_BENCH_PERIODIC LAPWING_NAME("periodic") = 20,
  LAPWING_BENCH_DEADLINE LAPWING_NAME("deadline") = 21,
  // The longest gap between two readings of the TSC in a turn. A turn begins with a mark, the turn's number from 1, upon
  // which the host does to the machine what is to be seen, and ends with LAPWING_BENCH_VECTOR, which the host sends then.
  LAPWING_BENCH_SNAPSHOT LAPWING_NAME("snapshot") = 22,
} lapwing_bench_operation;
