// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/format.hpp"
#include "job/job.hpp"

namespace osiiso::job {
namespace {

std::string read_all(int descriptor, const std::string& name) {
  constexpr std::size_t kPiece = 4096;  // most are short, and fresh memory costs more than a read
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (text.size() - used < kPiece) text.resize(std::max(text.size() * 2, 2 * kPiece));
    const ssize_t got = ::read(descriptor, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError("cannot read '" + name + "'", errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > kLargestSource) {
      throw Error(base::format("cannot read '{}': larger than {} MiB", name, kLargestSource >> 20));
    }
  }
  text.resize(used);
  text.shrink_to_fit();
  return text;
}

}  // namespace

Source load(const std::string& path) {
  namespace fs = std::filesystem;
  // Where the current folder was removed its path is unknown; relative ones will say so themselves.
  std::error_code unknown;
  if (path == "-") return {"<stdin>", read_all(STDIN_FILENO, "<stdin>"), fs::current_path(unknown)};
  const base::Descriptor file = base::open_for_reading(path);
  std::string text = read_all(file.get(), path);
  return {path, std::move(text), fs::absolute(path, unknown).lexically_normal().parent_path()};
}

}  // namespace osiiso::job
