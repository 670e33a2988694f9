// The C shim under the KVM library: every ioctl of <linux/kvm.h> that Lapwing uses as a typed inline function.
//
// Contract, the same for all of them: the answer is the ioctl's own result, or the negated errno. The errno is taken in
// the same function that made the call, so nothing that runs in between can change it. Structures are the kernel's; the
// caller zeroes what the KVM API asks to be zero. Nothing here keeps a pointer after it returns unless it says so.
#pragma once

#include "ckvm_access.h"
#include "ckvm_compat.h"
#include "ckvm_event.h"
#include "ckvm_irqchip.h"
#include "ckvm_memory.h"
#include "ckvm_os.h"
#include "ckvm_pit.h"
#include "ckvm_run.h"
#include "ckvm_state.h"
#include "ckvm_system.h"
#include "ckvm_vcpu.h"
#include "ckvm_vm.h"
