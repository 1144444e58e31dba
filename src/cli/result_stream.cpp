// SPDX-License-Identifier: MIT
#include "cli/result_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "osiiso/error.hpp"

#include "base/text.hpp"
#include "cli/console.hpp"

namespace osiiso::cli {

void fill_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is the one that is missing; the wrong direction keeps it unusable.
    [[maybe_unused]] const int opened = ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

ResultStream::ResultStream() : DescriptorStream(STDOUT_FILENO) {}

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
  say_raw(shown_on(STDERR_FILENO, printed));
}

void say_raw(const std::string& text) {
  // There is nowhere to complain to when standard error itself is gone.
  console().write_line(STDERR_FILENO, text);
}

}  // namespace osiiso::cli
