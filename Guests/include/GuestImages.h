// The guests that are built into the program: an image each.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

struct lapwing_guest_image {
  const char *name;
  const char *summary;
  const unsigned char *bytes;
  size_t size;
  // The same ELF file with its symbols and line tables.
  const unsigned char *symbols;
  size_t symbols_size;
};

// Written by the plugin GuestImages, sorted by name.
extern const struct lapwing_guest_image lapwing_guest_images[];
extern const size_t lapwing_guest_image_count;

// The image at `index`, below the count. Constants: they are valid for as long as the program runs.
const struct lapwing_guest_image *lapwing_guest_image_at(size_t index);

#pragma clang assume_nonnull end
