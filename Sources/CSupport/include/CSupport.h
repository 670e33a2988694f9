// The calls of Linux that the C library's Swift module leaves out.
#ifndef CSUPPORT_H
#define CSUPPORT_H

#include <stddef.h>

// An eventfd(2) that starts at 0, non-blocking, closed on exec: its descriptor, or a negative errno.
int csupport_eventfd(void);

// A signalfd(2) that can be read while one of these signals, which the caller has blocked, is pending: its descriptor, or a
// negative errno.
int csupport_signalfd(const int *numbers, int count);

// Takes a pending signal, which the caller has blocked, without waiting: whether it was pending.
int csupport_take_signal(int number);

// Whether the process ignores a signal, as nohup(1) has it for SIGHUP and a shell for SIGINT of what it runs in the
// background.
int csupport_ignores_signal(int number);

// Opens a file in a folder that has no name and is gone with its descriptor (O_TMPFILE): the descriptor, or a negative
// errno; EOPNOTSUPP also where it could not be given a name later, for want of /proc.
int csupport_open_unnamed(const char *folder, unsigned mode);

// Gives such a file a name that is not taken: 0 or a negative errno.
int csupport_link_unnamed(int descriptor, const char *path);

// A UNIX socket that listens at a path, for this user alone, non-blocking, closed on exec: its descriptor, or a negative
// errno; EADDRINUSE where something is there.
int csupport_listen(const char *path);

// Whether somebody listens at a path: 1 or 0; or a negative errno, ENOTSOCK where something else is there.
int csupport_is_heard(const char *path);

// What tells a file from every other: its device and inode. 0 or a negative errno.
int csupport_file_id(const char *path, unsigned long long id[2]);

// Accepts a connection (accept4(2)), non-blocking, closed on exec: its descriptor, or a negative errno.
int csupport_accept(int descriptor);

// Sends what there is room for, without waiting and without SIGPIPE: how many bytes, or a negative errno.
long csupport_send(int descriptor, const void *bytes, size_t count);

#endif
