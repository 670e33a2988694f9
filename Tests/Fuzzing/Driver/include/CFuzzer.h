#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

// Runs libFuzzer as a program with these arguments, and ends with its status (llvm.org/docs/LibFuzzer.html).
int cfuzzer_run(int argc, char **argv, int (*test)(const uint8_t *data, size_t size));

#endif
