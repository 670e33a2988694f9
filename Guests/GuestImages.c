#include "GuestImages.h"

const struct lapwing_guest_image *lapwing_guest_image_at(size_t index) { return &lapwing_guest_images[index]; }
