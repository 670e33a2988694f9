// What the guest `agent` does for its host, vCPU by vCPU: a scenario runs on the host alone.
//
// The host fills in a vCPU's mailbox and writes the next number into `posted`, last; the agent carries the operation
// out and writes the same number into `done`, last. Nothing of this leaves the guest, so it does not disturb what is
// being measured.
#pragma once

// Where in a mailbox the words are that host and agent read and write at the same time.
#define LAPWING_MAILBOX_POSTED 0
#define LAPWING_MAILBOX_DONE 4
#define LAPWING_MAILBOX_STARTS 64
#define LAPWING_MAILBOX_GATE 68

// The vector of fences: interrupts that a vCPU takes after all others that it was sent before, because no vector that a
// guest uses has a lower priority. The agent counts one and ends its service, and does nothing else.
#define LAPWING_FENCE_VECTOR 0x1f

typedef enum LAPWING_ENUM LAPWING_NAME("AgentOperation") lapwing_operation : uint32_t {
  // RDMSR of arguments[0].
  LAPWING_OPERATION_READ_MSR LAPWING_NAME("readMSR") = 1,
  // WRMSR of arguments[0] with arguments[1].
  LAPWING_OPERATION_WRITE_MSR LAPWING_NAME("writeMSR") = 2,
  // A 32-bit read of the memory at arguments[0].
  LAPWING_OPERATION_READ_MEMORY LAPWING_NAME("readMemory") = 3,
  // A 32-bit write of arguments[1] to the memory at arguments[0].
  LAPWING_OPERATION_WRITE_MEMORY LAPWING_NAME("writeMemory") = 4,
  // IN from port arguments[0], of arguments[1] bytes: 1, 2 or 4.
  LAPWING_OPERATION_READ_PORT LAPWING_NAME("readPort") = 5,
  // OUT to port arguments[0], of arguments[1] bytes, with arguments[2].
  LAPWING_OPERATION_WRITE_PORT LAPWING_NAME("writePort") = 6,
  // MOV from CR8.
  LAPWING_OPERATION_READ_CR8 LAPWING_NAME("readCR8") = 7,
  // MOV of arguments[0] to CR8.
  LAPWING_OPERATION_WRITE_CR8 LAPWING_NAME("writeCR8") = 8,
  // RDTSC.
  LAPWING_OPERATION_READ_TSC LAPWING_NAME("readTSC") = 9,
  // CPUID of leaf arguments[0], subleaf arguments[1]: EAX and EBX in results[0], ECX and EDX in results[1].
  LAPWING_OPERATION_CPUID LAPWING_NAME("cpuid") = 10,
  // STI where arguments[0] is not 0, else CLI.
  LAPWING_OPERATION_SET_INTERRUPTS LAPWING_NAME("setInterrupts") = 11,
  // STI and HLT, once; where arguments[0] is not 0 CLI and HLT. Done after the wake-up.
  LAPWING_OPERATION_HALT LAPWING_NAME("halt") = 12,
  // Spins, without PAUSE, until vector arguments[0] was recorded arguments[1] times here, or arguments[2] TSC cycles
  // have passed; results[0] says how often it was.
  LAPWING_OPERATION_SPIN LAPWING_NAME("spin") = 13,
  // Handles vector arguments[0] by the lapwing_handler bits of arguments[1], with arguments[2].
  LAPWING_OPERATION_SET_HANDLER LAPWING_NAME("setHandler") = 14,
  // VMCALL, or VMMCALL where bit 32 of arguments[0] is set, with the bits below in RAX, arguments[1] in RBX, arguments[2]
  // in RCX and the halves of arguments[3] in RDX (the lower one) and RSI; RAX comes back.
  LAPWING_OPERATION_HYPERCALL LAPWING_NAME("hypercall") = 15,
  // With interrupts off before: STI, or STI and MOV SS where arguments[0] is not 0, a RDTSC in the shadow, one after
  // it. The TSC values are the results.
  LAPWING_OPERATION_SHADOW LAPWING_NAME("shadow") = 16,
  // Reaches the local APIC's registers by MSR where arguments[0] is not 0, else in memory: for the EOIs of handlers.
  LAPWING_OPERATION_SET_MODE LAPWING_NAME("setMode") = 18,
  // Starts the application processors with INIT and SIPI.
  LAPWING_OPERATION_START_PROCESSORS LAPWING_NAME("startProcessors") = 19,
  // Sends the interprocessor interrupt of the ICR arguments[0] arguments[1] times, each once all that the one before
  // raises are recorded: arguments[2] of them, by all vCPUs together. results[0] says how many were sent and recorded;
  // it gives up after arguments[3] TSC cycles.
  LAPWING_OPERATION_VOLLEY LAPWING_NAME("volley") = 30,
} lapwing_operation;

// What a handler does, besides recording its interrupt, in this order.
typedef enum LAPWING_ENUM LAPWING_NAME("AgentHandler") lapwing_handler : uint32_t {
  // Lets other interrupts in while it runs.
  LAPWING_HANDLER_NESTS LAPWING_NAME("nests") = 1 << 0,
  // Waits until the vector that is the handler's parameter was recorded here, at most for half a second.
  LAPWING_HANDLER_WAITS LAPWING_NAME("waits") = 1 << 1,
  // Asks the host to lower the line that is its parameter.
  LAPWING_HANDLER_LOWERS LAPWING_NAME("lowers") = 1 << 2,
  // Ends the interrupt's service at the local APIC.
  LAPWING_HANDLER_ACKNOWLEDGES LAPWING_NAME("acknowledges") = 1 << 3,
  // Notes the processor priority in the log.
  LAPWING_HANDLER_NOTES_PRIORITY LAPWING_NAME("notesPriority") = 1 << 4,
  // Waits until the host has opened the gate of this vCPU's mailbox, at most for ten seconds.
  LAPWING_HANDLER_HOLDS LAPWING_NAME("holds") = 1 << 8,
  // Clears the word of PV EOI (MSR_KVM_PV_EOI_EN) whose address is its parameter; where that was set it notes it in the
  // log, and does not acknowledge.
  LAPWING_HANDLER_CLEARS_PV_EOI LAPWING_NAME("clearsPVEOI") = 1 << 9,
} lapwing_handler;

typedef struct LAPWING_NAME("Mailbox") lapwing_mailbox {
  uint32_t posted;
  uint32_t done;
  lapwing_operation operation;
  // The exception that the operation raised, plus one; 0 for none.
  uint32_t fault;
  uint64_t arguments[4];
  uint64_t results[2];
  // How often the agent has started on this vCPU. What was posted before its start is not carried out.
  uint32_t starts;
  // Not 0 where handlers that hold may go on.
  uint32_t gate;
  uint32_t reserved[14];
} lapwing_mailbox;
