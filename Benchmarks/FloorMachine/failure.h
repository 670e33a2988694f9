// How the functions of this folder fail.
#pragma once
#include <errno.h>

#include "FloorMachine.h"

// sysexits.h: EX_DATAERR, EX_UNAVAILABLE, EX_SOFTWARE.
enum { BAD_IMAGE = 65, HOST_CANNOT = 69, INTERNAL = 70 };

// Notes a failed call with its errno.
static inline int call_failed(floor_error *error, const char *call, int status) {
  *error = (floor_error){.what = call, .number = errno, .status = status};
  return -1;
}

// Notes a failure that is not a call's.
static inline int failed(floor_error *error, const char *what, int status) {
  *error = (floor_error){.what = what, .number = 0, .status = status};
  return -1;
}
