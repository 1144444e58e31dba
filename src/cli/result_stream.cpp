// SPDX-License-Identifier: MIT
#include "cli/result_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "osiiso/error.hpp"

#include "base/text.hpp"

namespace osiiso::cli {
namespace {

/// The errno of what went wrong, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void fill_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is the one that is missing; the wrong direction keeps it unusable.
    [[maybe_unused]] const int opened = ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

int ResultStream::finish() {
  flush();
  return buffer_.error();
}

ResultStream::Buffer::int_type ResultStream::Buffer::overflow(int_type c) {
  if (sync() != 0) return traits_type::eof();
  if (!traits_type::eq_int_type(c, traits_type::eof())) return sputc(traits_type::to_char_type(c));
  return traits_type::not_eof(c);
}

int ResultStream::Buffer::sync() {
  const std::string_view text(pbase(), static_cast<std::size_t>(pptr() - pbase()));
  if (error_ == 0) error_ = write_all(STDOUT_FILENO, text);
  setp(bytes_.data(), bytes_.data() + bytes_.size());
  return error_ == 0 ? 0 : -1;
}

ExitCode finish_result(ResultStream& out, const std::string& what_happened) {
  const int error = out.finish();
  if (error == 0) return ExitCode::passed;
  say(std::string(SystemError("cannot write the result to standard output", error).what()) +
      what_happened);
  return ExitCode::write_failed;
}

void say(const std::string& text) {
  say_raw("osiiso: " + base::escape_controls(text) + "\n");
}

void say_printed(const std::string& printed) {
  say_raw(::isatty(STDERR_FILENO) == 1 ? base::escape_all_but_colours(printed) : printed);
}

void say_raw(const std::string& text) {
  // There is nowhere to complain to when standard error itself is gone.
  [[maybe_unused]] const int error = write_all(STDERR_FILENO, text);
}

}  // namespace osiiso::cli
