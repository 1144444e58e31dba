// SPDX-License-Identifier: MIT
#include "cli/event_target.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "osiiso/error.hpp"

#include "base/clock.hpp"
#include "base/descriptor_name.hpp"
#include "base/format.hpp"
#include "base/links.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {
namespace {

using namespace std::chrono_literals;

// How long somebody may take to open a FIFO for reading.
constexpr Duration kReaderPatience = 5s;
constexpr Duration kBetweenLooks = 5ms;

constexpr std::string_view kDescriptorPrefix = "fd:";

/// The descriptor that the text means, if it is not the path of a file.
std::optional<int> descriptor_in(std::string_view option, std::string_view text) {
  if (text == "-") return STDOUT_FILENO;
  if (!text.starts_with(kDescriptorPrefix)) return base::descriptor_named(text);
  const auto number = base::descriptor_number(text.substr(kDescriptorPrefix.size()));
  if (number) return number;
  throw UsageError(base::format("{}: '{}' is not fd:N, as in fd:3", option, text));
}

int open_writable(const std::string& path) {
  constexpr int kHow = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  constexpr mode_t kAsTheUmaskSays = 0666;
  // A FIFO that nobody reads would block.
  return ::open(path.c_str(), kHow | O_NONBLOCK, kAsTheUmaskSays);
}

}  // namespace

EventTarget::EventTarget(std::string_view option, std::string_view text)
    : option_(option), text_(text), descriptor_(descriptor_in(option, text)) {
  if (text.empty()) throw UsageError(base::format("{} needs a file or fd:N", option));
  if (!descriptor_) return;
  const int flags = ::fcntl(*descriptor_, F_GETFL);
  if (flags < 0) {
    throw UsageError(base::format("{}: descriptor {} is not open", option, *descriptor_));
  }
  if ((flags & O_ACCMODE) == O_RDONLY) {
    throw UsageError(base::format("{}: descriptor {} cannot be written to", option, *descriptor_));
  }
}

bool EventTarget::is_stdout() const {
  return descriptor_ == STDOUT_FILENO;
}

bool EventTarget::is_file(const std::string& path) const {
  if (descriptor_) return false;
  try {
    return base::resolve(text_).path == base::resolve(path).path;
  } catch (const Error&) {
    return false;  // whoever opens it says what is wrong
  }
}

base::Descriptor EventTarget::open() const {
  constexpr int kAboveTheStandardOnes = 3;
  if (!descriptor_) return open_file();
  base::Descriptor own(::fcntl(*descriptor_, F_DUPFD_CLOEXEC, kAboveTheStandardOnes));
  if (!own) throw SystemError(base::format("cannot use descriptor {}", *descriptor_), errno);
  return own;
}

base::Descriptor EventTarget::open_file() const {
  const auto refuse = [this](const std::string& why) -> UsageError {
    return UsageError(base::format("{}: cannot write {}: {}", option_, text_, why));
  };
  base::Resolved resolved;
  try {
    resolved = base::resolve(text_);
    base::refuse_planted(resolved);
  } catch (const Error& error) {
    throw refuse(error.what());
  }
  base::Descriptor file(open_writable(resolved.path));
  const bool is_fifo = resolved.file && S_ISFIFO(resolved.file->st_mode);
  const auto give_up = base::now() + kReaderPatience;
  while (is_fifo && !file && errno == ENXIO && base::now() < give_up) {
    std::this_thread::sleep_for(kBetweenLooks);
    file = base::Descriptor(open_writable(resolved.path));
  }
  if (!file) {
    const int error = errno;
    if (is_fifo && error == ENXIO) throw refuse("nobody reads this FIFO");
    throw UsageError(
        SystemError(base::format("{}: cannot write {}", option_, text_), error).what());
  }
  ::fcntl(file.get(), F_SETFL, O_WRONLY);
  return file;
}

}  // namespace osiiso::cli
