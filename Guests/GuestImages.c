// SwiftPM wants a source file of a C target's own; the table itself is written by the plugin GuestImages.
#include "GuestImages.h"
