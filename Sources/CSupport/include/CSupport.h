// The calls of Linux that the C library's Swift module leaves out.
#ifndef CSUPPORT_H
#define CSUPPORT_H

// An eventfd(2) that starts at 0, non-blocking, closed on exec: its descriptor, or a negative errno.
int csupport_eventfd(void);

// A signalfd(2) that can be read while one of these signals, which the caller has blocked, is pending: its descriptor, or a
// negative errno.
int csupport_signalfd(const int *numbers, int count);

// Takes a pending signal, which the caller has blocked, without waiting: whether it was pending.
int csupport_take_signal(int number);

#endif
