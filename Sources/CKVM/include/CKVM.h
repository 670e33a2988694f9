// The C shim over the kernel's UAPI header.
#pragma once
#include <linux/kvm.h>
