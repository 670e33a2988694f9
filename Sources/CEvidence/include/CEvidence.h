// What recording needs of Linux and the C library does not show to Swift.
#pragma once

// Mounts a file system of the kernel's, such as tracefs, without a place in the file system (fsopen(2), fsmount(2); Linux
// 5.2): a descriptor of its root, or -errno. The mount goes away with the descriptor, whatever becomes of the process.
int cevidence_mount(const char *type);

// Locks an open file or directory against every other open one, without waiting (flock(2)): 0, or -errno; EWOULDBLOCK where
// somebody has it. The lock goes away with the descriptor, whatever becomes of the process.
int cevidence_try_lock(int descriptor);

// The kernel's id of the calling thread (gettid(2)).
int cevidence_thread_id(void);
