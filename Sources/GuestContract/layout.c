// The layouts that GuestContract.h promises, checked where a compiler sees them.
#include <stddef.h>

#include "GuestContract.h"

_Static_assert(sizeof(lapwing_boot_page) == 128 + LAPWING_ARGUMENT_LIMIT, "boot page");
_Static_assert(offsetof(lapwing_boot_page, vcpu_count) == LAPWING_BOOT_VCPU_COUNT, "vCPU count");
_Static_assert(offsetof(lapwing_boot_page, apic_ids) == LAPWING_BOOT_APIC_IDS, "APIC ids");
_Static_assert(offsetof(lapwing_boot_page, processor_area) == LAPWING_BOOT_PROCESSOR_AREA, "processor area");
_Static_assert(offsetof(lapwing_boot_page, processor_stride) == LAPWING_BOOT_PROCESSOR_STRIDE, "processor stride");
_Static_assert(offsetof(lapwing_boot_page, tells_marks) == LAPWING_BOOT_TELLS_MARKS, "tells marks");
_Static_assert(offsetof(lapwing_boot_page, first_tsc) == LAPWING_BOOT_FIRST_TSC, "first TSC");
_Static_assert(offsetof(lapwing_boot_page, arguments) == LAPWING_BOOT_ARGUMENTS, "arguments");
_Static_assert(sizeof(lapwing_log) == 64, "log header");
_Static_assert(sizeof(lapwing_record) == 32, "record");
_Static_assert(offsetof(lapwing_record, tsc) == 8, "record time");
_Static_assert(offsetof(lapwing_record, label) == 24, "record label");
_Static_assert(sizeof(lapwing_mailbox) == 128, "mailbox");
_Static_assert(offsetof(lapwing_mailbox, arguments) == 16, "mailbox arguments");
_Static_assert(offsetof(lapwing_mailbox, results) == 48, "mailbox results");
_Static_assert(offsetof(lapwing_mailbox, posted) == LAPWING_MAILBOX_POSTED, "mailbox posted");
_Static_assert(offsetof(lapwing_mailbox, done) == LAPWING_MAILBOX_DONE, "mailbox done");
_Static_assert(offsetof(lapwing_mailbox, starts) == LAPWING_MAILBOX_STARTS, "mailbox starts");
_Static_assert(offsetof(lapwing_mailbox, gate) == LAPWING_MAILBOX_GATE, "mailbox gate");
_Static_assert(sizeof(lapwing_request) == 32, "request");
_Static_assert(offsetof(lapwing_request, result) == 24, "request result");
