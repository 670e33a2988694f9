// What a process has to do before anything else of it runs.
#pragma once

// How many arguments the program was started with, its own name included: as the kernel gave them, whether there is a
// /proc or not.
int cprocess_argument_count(void);

// An argument, from 0 to below the count; NULL for any other index.
const char *cprocess_argument(int index);

// Has writes to a pipe that nobody reads and to a file that may not grow end with an error, EPIPE or EFBIG, and not with
// the process (SIGPIPE, SIGXFSZ; signal(7)).
void cprocess_ignore_write_signals(void);

// The commit that a package was made of; "" for any other build.
const char *cprocess_commit(void);
