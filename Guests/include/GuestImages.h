// The guests that are built into the program: an ELF image each.
#pragma once
#include <stddef.h>

struct lapwing_guest_image {
  // Neither of the texts is ever null.
  const char *name;
  const char *summary;
  const unsigned char *bytes;
  size_t size;
};

// Sorted by name. The plugin GuestImages writes the table.
extern const struct lapwing_guest_image lapwing_guest_images[];
extern const size_t lapwing_guest_image_count;
