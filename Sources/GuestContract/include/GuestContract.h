// What a guest and its host agree on.
//
// Two programs written in different languages and compiled for different machines read these bytes: the host (Swift,
// and the C programs of Benchmarks) and the guest (Embedded Swift and assembly). So the layouts are C's, with every
// offset asserted in layout.c, and there is no pointer in them: an address is a guest-physical number.
//
// The host trusts nothing that a guest writes here: every address is bounds-checked and every count has a limit that
// the host chose.
#pragma once

// A command is one 32-bit write to this port: its code in bits 7:0, its argument in bits 31:8.
#define LAPWING_COMMAND_PORT 0x4c50

// Where the entry code of an application processor lies: the page that a STARTUP IPI names (vector 0x08).
#define LAPWING_TRAMPOLINE 0x8000

#define LAPWING_BOOT_MAGIC 0x4757504c /* "LPWG" in memory */
#define LAPWING_BOOT_VERSION 1

// Offsets for code that cannot name a member; layout.c checks them against the structures.
#define LAPWING_BOOT_VCPU_COUNT 20
#define LAPWING_BOOT_APIC_IDS 40
#define LAPWING_BOOT_PROCESSOR_AREA 48
#define LAPWING_BOOT_PROCESSOR_STRIDE 56
#define LAPWING_BOOT_TELLS_MARKS 104
#define LAPWING_BOOT_FIRST_TSC 120
#define LAPWING_BOOT_ARGUMENTS 128

// A processor's area begins with its data, at these offsets; the counts of the interrupts it recorded are one
// uint32_t a vector, which the host may read at any time.
#define LAPWING_PROCESSOR_INDEX 0
#define LAPWING_PROCESSOR_RECOVERY 8
#define LAPWING_PROCESSOR_FAULT 16
#define LAPWING_PROCESSOR_COUNTS 64

// How much of a label the host reads; a longer one is cut.
#define LAPWING_LABEL_LIMIT 120
// Bytes that the guest's argument string may have, the terminating zero included.
#define LAPWING_ARGUMENT_LIMIT 1024

#ifndef __ASSEMBLER__
#include <stdint.h>

#ifdef __swift__
#define LAPWING_NAME(name) __attribute__((swift_name(name)))
#else
#define LAPWING_NAME(name)
#endif
#define LAPWING_ENUM __attribute__((enum_extensibility(open)))

// Codes of the command port.
typedef enum LAPWING_ENUM LAPWING_NAME("Command") lapwing_command : uint32_t {
  // The guest is set up and waits for what its host does next.
  LAPWING_COMMAND_READY LAPWING_NAME("ready") = 1,
  // A point in the guest's course, by number: somebody outside may wait for it.
  LAPWING_COMMAND_MARK LAPWING_NAME("mark") = 2,
  // The guest has ended; the argument is its status, 0 for success.
  LAPWING_COMMAND_FINISH LAPWING_NAME("finish") = 3,
  // The writing vCPU's lapwing_request is filled in; it is carried out before the next instruction.
  LAPWING_COMMAND_REQUEST LAPWING_NAME("request") = 4,
  // Only where the boot page asks for it: a mark was written down; the argument is its record's index in the log.
  LAPWING_COMMAND_MARKED LAPWING_NAME("marked") = 5,
} lapwing_command;

typedef enum LAPWING_ENUM LAPWING_NAME("BootAPICMode") lapwing_apic_mode : uint32_t {
  LAPWING_APIC_XAPIC LAPWING_NAME("xAPIC") = 1,
  LAPWING_APIC_X2APIC LAPWING_NAME("x2APIC") = 2,
} lapwing_apic_mode;

typedef enum LAPWING_ENUM LAPWING_NAME("BootIRQChip") lapwing_irqchip : uint32_t {
  // KVM_CREATE_IRQCHIP: local APICs, IOAPIC and PIC in the kernel.
  LAPWING_IRQCHIP_KERNEL LAPWING_NAME("kernel") = 1,
  // KVM_CAP_SPLIT_IRQCHIP: local APICs in the kernel, the IOAPIC in the VMM, no PIC.
  LAPWING_IRQCHIP_SPLIT LAPWING_NAME("split") = 2,
} lapwing_irqchip;

typedef enum LAPWING_ENUM LAPWING_NAME("BootStart") lapwing_start : uint32_t {
  // Application processors wait for INIT and SIPI from the guest.
  LAPWING_START_SIPI LAPWING_NAME("sipi") = 1,
  // The machine starts every processor in long mode at the entry point.
  LAPWING_START_DIRECT LAPWING_NAME("direct") = 2,
} lapwing_start;

// The boot page. The host fills it in and passes its address in RDI, and the processor's index in RSI.
typedef struct LAPWING_NAME("BootPage") lapwing_boot_page {
  uint32_t magic;
  uint32_t version;
  lapwing_apic_mode apic_mode LAPWING_NAME("apicMode");
  lapwing_irqchip irqchip LAPWING_NAME("irqChip");
  lapwing_start start;
  uint32_t vcpu_count LAPWING_NAME("vcpuCount");
  uint64_t memory_size LAPWING_NAME("memorySize");
  // Frequency of the guest's TSC in kHz, and nanoseconds of one local APIC bus cycle.
  uint32_t tsc_khz LAPWING_NAME("tscKHz");
  uint32_t apic_cycle_ns LAPWING_NAME("apicCycleNanoseconds");
  // Address of vcpu_count APIC ids (uint32_t), in the order of the processors' indexes.
  uint64_t apic_ids LAPWING_NAME("apicIDs");
  // Processor n owns the `processor_stride` bytes from processor_area + n * processor_stride: its data, then its stack.
  uint64_t processor_area LAPWING_NAME("processorArea");
  uint64_t processor_stride LAPWING_NAME("processorStride");
  // Address of vcpu_count lapwing_request.
  uint64_t requests;
  // Address of a lapwing_log followed by log_capacity lapwing_record.
  uint64_t log;
  uint64_t log_capacity LAPWING_NAME("logCapacity");
  uint64_t argument_length LAPWING_NAME("argumentLength");
  // Address of vcpu_count lapwing_mailbox.
  uint64_t mailboxes;
  // Not 0 while the host waits for a mark: each is then told too. It changes while the guest runs.
  uint32_t tells_marks LAPWING_NAME("tellsMarks");
  uint32_t reserved[3];
  // Written by the guest: the TSC at the first instruction of the bootstrap processor.
  uint64_t first_tsc LAPWING_NAME("firstTSC");
  char arguments[LAPWING_ARGUMENT_LIMIT];
} lapwing_boot_page;

// The log's head, on a cache line of its own.
typedef struct LAPWING_NAME("LogHeader") lapwing_log {
  // Records ever claimed, by atomic addition; what lies beyond the capacity was dropped.
  uint64_t claimed;
  uint64_t reserved[7];
} lapwing_log;

typedef enum LAPWING_ENUM LAPWING_NAME("RecordKind") lapwing_record_kind : uint8_t {
  // An interrupt was taken: `vector`; `value` is the interrupted instruction's address.
  LAPWING_RECORD_INTERRUPT LAPWING_NAME("interrupt") = 1,
  // An exception that no handler was there for: `vector`, `value` the address, `label` the error code.
  LAPWING_RECORD_EXCEPTION LAPWING_NAME("exception") = 2,
  // A point in the guest's course: `label`.
  LAPWING_RECORD_MARK LAPWING_NAME("mark") = 3,
  // A check that held (`vector` 1) or failed (`vector` 0): `label`, and in `value` what was seen.
  LAPWING_RECORD_CHECK LAPWING_NAME("check") = 4,
  // A figure: `label`, `value`.
  LAPWING_RECORD_VALUE LAPWING_NAME("value") = 5,
} lapwing_record_kind;

typedef struct LAPWING_NAME("LogRecord") lapwing_record {
  // The record's index plus one, written last: a record with another number is not complete.
  uint32_t sequence;
  lapwing_record_kind kind;
  uint8_t vector;
  // The index of the processor that wrote it.
  uint16_t vcpu;
  uint64_t tsc;
  uint64_t value;
  // Address and length of a text, not terminated.
  uint32_t label;
  uint32_t label_length LAPWING_NAME("labelLength");
} lapwing_record;

typedef enum LAPWING_ENUM LAPWING_NAME("RequestKind") lapwing_request_kind : uint32_t {
  // KVM_SIGNAL_MSI with `address` and `data`; the result is its answer.
  LAPWING_REQUEST_SIGNAL_MSI LAPWING_NAME("signalMSI") = 1,
  // KVM_IRQ_LINE_STATUS with `gsi` and `level`; the result is its answer.
  LAPWING_REQUEST_SET_LINE LAPWING_NAME("setLine") = 2,
  // Routes `gsi` to the MSI of `address` and `data`, beside what is routed already.
  LAPWING_REQUEST_ROUTE_MSI LAPWING_NAME("routeMSI") = 3,
  // Writes 1 to the irqfd of `gsi`, which is assigned at the first such request.
  LAPWING_REQUEST_TRIGGER_IRQFD LAPWING_NAME("triggerIRQFD") = 4,
  // Lets 32-bit writes to port `data` signal an eventfd instead of leaving the guest: where `level` is not 0 the irqfd of
  // `gsi`, which is assigned where there is none yet, else one that nobody waits for.
  LAPWING_REQUEST_ASSIGN_IOEVENT LAPWING_NAME("assignIOEvent") = 5,
} lapwing_request_kind;

// What a guest asks its host to do from outside of it, as a device would.
typedef struct LAPWING_NAME("HostRequest") lapwing_request {
  lapwing_request_kind kind;
  uint32_t gsi;
  uint64_t address;
  uint32_t data;
  uint32_t level;
  // Written by the host: the answer, or a negative errno.
  int64_t result;
} lapwing_request;

#include "GuestAgent.h"
#include "GuestBench.h"

#endif
