// The calls of Linux that the C library's Swift module leaves out.
#ifndef CSUPPORT_H
#define CSUPPORT_H

#include <stddef.h>
#include <stdint.h>

// An eventfd(2) that starts at 0, non-blocking, closed on exec: its descriptor, or a negative errno.
int csupport_eventfd(void);

// A signalfd(2) that can be read while one of these signals, which the caller has blocked, is pending: its descriptor, or a
// negative errno.
int csupport_signalfd(const int *numbers, int count);

// Takes a pending signal, which the caller has blocked, without waiting: whether it was pending.
int csupport_take_signal(int number);

// Has the first of these signals that comes from now on do nothing, and each that comes after it end the process. They are
// not to be blocked.
void csupport_forgive_one_signal(const int *numbers, int count);

// Whether the process ignores a signal, as nohup(1) has it for SIGHUP and a shell for SIGINT of what it runs in the
// background.
int csupport_ignores_signal(int number);

// Opens a file in a folder that has no name and is gone with its descriptor (O_TMPFILE): the descriptor, or a negative
// errno; EOPNOTSUPP also where it could not be given a name later, for want of /proc.
int csupport_open_unnamed(const char *folder, unsigned mode);

// Gives such a file a name that is not taken: 0 or a negative errno.
int csupport_link_unnamed(int descriptor, const char *path);

// Whether something is mounted at a path, a link not followed, and whether a folder keeps the names that are in it (statx(2),
// STATX_ATTR_MOUNT_ROOT since Linux 5.8, STATX_ATTR_APPEND): 0 also where the kernel does not tell.
int csupport_is_mounted(const char *path);
int csupport_keeps_names(const char *folder);

// A file, whatever its name leads to later.
struct csupport_file {
  uint64_t device;
  uint64_t inode;
};

// Listens on a TCP port of 127.0.0.1, 0 for one that is free: the descriptor, or a negative errno. `bound` gets the port.
int csupport_listen_loopback(uint16_t port, uint16_t *bound);

// Listens on a UNIX socket that it makes at a path, for this user alone: the descriptor, or a negative errno. It takes the
// place of a socket of this user's that nobody listens to; of anything else it says EEXIST, EPERM or EADDRINUSE.
int csupport_listen_local(const char *path, struct csupport_file *made);

// Removes the socket that csupport_listen_local made, if it is still the one at the path.
void csupport_remove_local(const char *path, const struct csupport_file *made);

// Takes a connection that waits: its descriptor, non-blocking, closed on exec, or a negative errno.
int csupport_accept(int listener);

// Two ends of one connection, non-blocking, closed on exec: 0, or a negative errno.
int csupport_socket_pair(int ends[2]);

// send(2) and recv(2), without SIGPIPE: how many bytes, 0 where the other end has closed, or a negative errno.
long csupport_send(int connection, const void *bytes, size_t count);
long csupport_receive(int connection, void *bytes, size_t count);

// Waits until one of at most 64 descriptors can be read or has been closed; negative ones are passed over. `ready` gets a
// bit for each. 0, or a negative errno. -1 milliseconds wait for ever.
int csupport_wait_readable(const int *descriptors, int count, int milliseconds, uint64_t *ready);

// Waits until a connection takes bytes: 0, -ECANCELED once `other` can be read, or another negative errno.
int csupport_wait_writable(int connection, int other, int milliseconds);

#endif
