// SPDX-License-Identifier: MIT
#include "queue/image.hpp"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "osiiso/error.hpp"

#include "base/format.hpp"

namespace osiiso::queue {
namespace {

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
};

struct Image {
  std::uintptr_t base = 0;
  std::vector<Range> code;
  std::string build_id;

  bool has_code_at(std::uintptr_t address) const {
    for (const Range& range : code) {
      if (range.begin <= address && address < range.end) return true;
    }
    return false;
  }
};

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += base::format("{:02x}", byte);
  return text;
}

/// The GNU build id among the notes of a segment, or an empty text.
std::string find_build_id(std::span<const unsigned char> notes) {
  constexpr std::string_view kGnu("GNU\0", 4);
  const auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof header);
    notes = notes.subspan(sizeof header);
    const std::size_t name_size = padded(header.n_namesz);
    const std::size_t size = padded(header.n_descsz);
    if (name_size > notes.size() || size > notes.size() - name_size) return {};
    const std::string_view name(reinterpret_cast<const char*>(notes.data()), header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && name == kGnu) {
      return hex(notes.subspan(name_size, header.n_descsz));
    }
    notes = notes.subspan(name_size + size);
  }
  return {};
}

int read_program(dl_phdr_info* info, std::size_t /*size*/, void* made) {
  auto& image = *static_cast<Image*>(made);
  image.base = info->dlpi_addr;
  for (std::size_t i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0) {
      image.code.push_back({begin, begin + header.p_memsz});
    } else if (header.p_type == PT_NOTE && image.build_id.empty()) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the loader tells
      image.build_id = find_build_id({reinterpret_cast<unsigned char*>(begin), header.p_memsz});
    }
  }
  return 1;  // the first one is the program, others are its libraries
}

/// Of a program that was linked without a build id.
std::string status_of_program() {
  struct stat status {};
  if (::stat("/proc/self/exe", &status) != 0) return "unknown";
  return base::format("file-{}-{}.{:09}", status.st_size, status.st_mtim.tv_sec,
                      status.st_mtim.tv_nsec);
}

const Image& image() {
  static const Image kImage = [] {
    Image made;
    ::dl_iterate_phdr(read_program, &made);
    if (made.build_id.empty()) made.build_id = status_of_program();
    return made;
  }();
  return kImage;
}

}  // namespace

const std::string& build_id() {
  return image().build_id;
}

std::uint64_t image_offset(std::uintptr_t address) {
  if (!image().has_code_at(address)) {
    throw Error(
        "a process queue cannot call a function that is not in the program itself but in a "
        "shared library");
  }
  return address - image().base;
}

std::uintptr_t image_address(std::uint64_t offset) {
  const std::uintptr_t address = image().base + offset;
  if (!image().has_code_at(address)) {
    throw Error(base::format("offset {} is not in the program's code", offset));
  }
  return address;
}

}  // namespace osiiso::queue
