// What guests ask their host for.
#pragma once
#include "FloorMachine.h"
#include "GuestContract.h"

// Carries out a request and writes the answer into it: 0 or more, or a negative errno.
void carry_out(floor_machine *machine, lapwing_request *request);
