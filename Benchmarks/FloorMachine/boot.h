// The three ways into a guest. Each writes what the guest is to find in memory, then sets the vCPU's registers; 0, or -1
// with `error` filled in.
#pragma once
#include "FloorMachine.h"

// Long mode on identity-mapped memory, with the boot page of GuestContract.h.
int enter_long_mode(floor_machine *machine, uint64_t entry, floor_error *error);

// 32-bit protected mode without paging (Multiboot specification 0.6.96, section 3.2).
int enter_multiboot(floor_machine *machine, uint32_t entry, floor_error *error);

// Real mode with CS = 0.
int enter_real_mode(floor_machine *machine, uint16_t entry, floor_error *error);
