// SPDX-License-Identifier: MIT
#include "base/temp_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "osiiso/error.hpp"

namespace osiiso::base {
namespace {

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): no thread sets any
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

Descriptor open_unnamed(const std::string& folder) {
  Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  // Not every file system has files without a name.
  std::string path = folder + "/osiiso-XXXXXX";
  file = Descriptor(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) throw SystemError("cannot make a temporary file in " + folder, errno);
  ::unlink(path.c_str());
  return file;
}

}  // namespace

TempFile::TempFile() : folder_(temporary_folder()), file_(open_unnamed(folder_)) {}

std::uint64_t TempFile::append(std::string_view bytes) {
  const auto at = size_;
  write(at, bytes);
  return at;
}

void TempFile::write(std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("cannot write a temporary file in " + folder_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  size_ = std::max(size_, at);
}

std::string TempFile::read(std::uint64_t at, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto count =
        ::pread(file_.get(), bytes.data() + got, size - got, static_cast<off_t>(at + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("cannot read a temporary file in " + folder_, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

void TempFile::discard(std::uint64_t at, std::size_t size) {
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
              static_cast<off_t>(size));
}

}  // namespace osiiso::base
