// SPDX-License-Identifier: MIT
#include "base/descriptor_stream.hpp"

#include <unistd.h>

#include <cerrno>

namespace osiiso::base {

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int DescriptorStream::finish() {
  flush();
  return buffer_.error();
}

DescriptorStream::Buffer::int_type DescriptorStream::Buffer::overflow(int_type c) {
  if (sync() != 0) return traits_type::eof();
  if (!traits_type::eq_int_type(c, traits_type::eof())) return sputc(traits_type::to_char_type(c));
  return traits_type::not_eof(c);
}

int DescriptorStream::Buffer::sync() {
  const std::string_view text(pbase(), static_cast<std::size_t>(pptr() - pbase()));
  if (error_ == 0) error_ = write_all(descriptor_, text);
  forget();
  return error_ == 0 ? 0 : -1;
}

}  // namespace osiiso::base
