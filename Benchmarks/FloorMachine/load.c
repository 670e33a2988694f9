// ELF images: 64-bit ones are entered in long mode, 32-bit ones with a Multiboot header as that asks.
#include <elf.h>
#include <string.h>

#include "boot.h"
#include "failure.h"
#include "layout.h"

static int copy_segment(
    floor_machine *machine, const unsigned char *image, size_t size, uint64_t offset, uint64_t file_size,
    uint64_t address, uint64_t memory_size, floor_error *error) {
  if (offset > size || file_size > size - offset || file_size > memory_size)
    return failed(error, "a segment of the image lies outside of its file", BAD_IMAGE);
  if (address > IMAGE_LIMIT || memory_size > IMAGE_LIMIT - address)
    return failed(error, "a segment of the image lies outside of guest memory", BAD_IMAGE);
  // What the file does not fill is zero already: memory is fresh.
  memcpy(machine->memory + address, image + offset, file_size);
  return 0;
}

// The same for both classes of ELF, whose structures have the same member names.
#define LOAD_SEGMENTS(HEADER, SEGMENT)                                                                       \
  HEADER header;                                                                                             \
  if (size < sizeof header) return failed(error, "the image is shorter than its header", BAD_IMAGE);         \
  memcpy(&header, image, sizeof header);                                                                     \
  for (uint64_t index = 0; index < header.e_phnum; index++) {                                                \
    SEGMENT segment;                                                                                         \
    if (header.e_phoff > size || (index + 1) * sizeof segment > size - header.e_phoff)                       \
      return failed(error, "the image is shorter than its program headers", BAD_IMAGE);                      \
    memcpy(&segment, image + header.e_phoff + index * sizeof segment, sizeof segment);                       \
    if (segment.p_type == PT_LOAD && copy_segment(machine, image, size, segment.p_offset, segment.p_filesz,  \
                                                  segment.p_paddr, segment.p_memsz, error) < 0)              \
      return -1;                                                                                             \
  }

static int load64(floor_machine *machine, const unsigned char *image, size_t size, floor_error *error) {
  LOAD_SEGMENTS(Elf64_Ehdr, Elf64_Phdr)
  return enter_long_mode(machine, header.e_entry, error);
}

static int load32(floor_machine *machine, const unsigned char *image, size_t size, floor_error *error) {
  LOAD_SEGMENTS(Elf32_Ehdr, Elf32_Phdr)
  return enter_multiboot(machine, header.e_entry, error);
}

// In the first 8192 bytes, aligned to 4: magic, flags and a checksum (Multiboot specification 0.6.96, section 3.1).
static int has_multiboot_header(const unsigned char *image, size_t size) {
  for (size_t offset = 0; offset + 12 <= size && offset + 12 <= 8192; offset += 4) {
    uint32_t words[3];
    memcpy(words, image + offset, sizeof words);
    if (words[0] == 0x1badb002 && words[0] + words[1] + words[2] == 0) return 1;
  }
  return 0;
}

int floor_machine_load(floor_machine *machine, const unsigned char *image, size_t size, floor_error *error) {
  if (size < EI_NIDENT || memcmp(image, ELFMAG, SELFMAG) != 0)
    return failed(error, "the image is no ELF file", BAD_IMAGE);
  if (image[EI_CLASS] == ELFCLASS64) return load64(machine, image, size, error);
  if (image[EI_CLASS] == ELFCLASS32 && has_multiboot_header(image, size)) return load32(machine, image, size, error);
  return failed(error, "the image is neither a 64-bit ELF file nor a Multiboot image", BAD_IMAGE);
}
