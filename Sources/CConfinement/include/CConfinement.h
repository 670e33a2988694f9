// What a process gives up before it runs what it does not trust: Landlock, seccomp filters, capabilities.
#ifndef CCONFINEMENT_H
#define CCONFINEMENT_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

// All of these return 0 or more, or a negative errno.

// The version of Landlock's interface that this kernel offers, from 1 on (landlock_create_ruleset(2)).
int cconfinement_landlock_version(void);

// A ruleset that handles these accesses to files and to the network, and scopes: its descriptor. What the kernel does not
// know has to be left out by the caller.
int cconfinement_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes);

// Allows accesses at a path and, where that is a folder, below it. What is only for folders is left out for a file. A
// path where nothing is needs no rule: ENOENT.
int cconfinement_landlock_allow_path(int ruleset, const char *path, uint64_t accesses);

// Allows accesses to a TCP port.
int cconfinement_landlock_allow_port(int ruleset, uint16_t port, uint64_t accesses);

// Restricts the calling thread, and those that it starts, to what a ruleset allows (landlock_restrict_self(2)).
int cconfinement_landlock_restrict(int ruleset);

// No program that this thread or its children execute gets rights that they do not have (PR_SET_NO_NEW_PRIVS).
int cconfinement_no_new_privileges(void);

// Gives up the calling thread's capabilities but these, a bit each by the kernel's numbers, and all others of its bounding and
// ambient sets.
int cconfinement_keep_capabilities(uint64_t kept);

// The calling thread's effective capabilities, a bit each.
uint64_t cconfinement_capabilities(void);

// Has the kernel refuse system calls of the calling thread, and of those that it starts, as a program says (seccomp(2)).
// PR_SET_NO_NEW_PRIVS has to be set.
int cconfinement_filter(const struct sock_filter *instructions, uint16_t count);

// Whether this kernel has seccomp filters that answer with a signal.
bool cconfinement_has_filters(void);

// The calling process's id, by which a filter knows its own signals.
int cconfinement_process_id(void);

// Has a system call that a filter answers with SIGSYS end the process: with a line on standard error that names its number,
// and this exit status.
void cconfinement_tell_of_refusals(int status);

#endif
