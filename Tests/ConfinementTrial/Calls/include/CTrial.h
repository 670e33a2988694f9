// System calls that whoever takes a process over would like to make. None does harm where it is let through.
#ifndef CTRIAL_H
#define CTRIAL_H

// A call's name; NULL behind the last.
const char *ctrial_name(int index);

// Its number; -1 behind the last.
int ctrial_number(int index);

// Makes one: 0, or the errno.
int ctrial_make(int index);

// Prints a line at once.
void ctrial_say(const char *line);

// Opens a file: 0, or the errno. A file that is made is left where it is.
int ctrial_open(const char *path, int writes);

#endif
