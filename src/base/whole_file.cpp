// SPDX-License-Identifier: MIT
#include "base/whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "osiiso/error.hpp"

#include "base/descriptor_name.hpp"
#include "base/descriptor_stream.hpp"
#include "base/format.hpp"
#include "base/links.hpp"

namespace osiiso::base {
namespace {

constexpr mode_t kAsTheUmaskSays = 0666;
constexpr mode_t kPermissions = 0777;

std::string folder_of(const std::string& absolute) {
  return absolute.substr(0, absolute.rfind('/') + 1);
}

void require_access(const std::string& path, int how) {
  if (::faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0) return;
  throw SystemError("cannot write to " + path, errno);
}

/// A file beside `target` that is gone again unless it becomes it.
class Draft {
 public:
  explicit Draft(const std::string& target) {
    // Names that others left, or have in use: another container's process may have our number.
    constexpr int kMostTries = 100;
    for (int i = 0; i < kMostTries && !file_; ++i) {
      path_ = format("{}.osiiso-{}-{}", folder_of(target), ::getpid(), i);
      constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
      file_ = Descriptor(::open(path_.c_str(), kNew, kAsTheUmaskSays));
      if (!file_ && errno != EEXIST) break;
    }
    if (!file_) throw SystemError("cannot create " + path_, errno);
  }
  ~Draft() {
    if (file_) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  int descriptor() const { return file_.get(); }

  void become(const std::string& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      throw SystemError("cannot replace " + target, errno);
    }
    file_.reset();
  }

 private:
  std::string path_;
  Descriptor file_;
};

void fill_descriptor(int descriptor, const std::string& path,
                     const std::function<void(std::ostream&)>& fill) {
  DescriptorStream out(descriptor);
  fill(out);
  if (const int error = out.finish(); error != 0) throw SystemError("cannot write " + path, error);
}

}  // namespace

WholeFile::WholeFile(const std::string& path) : path_(path) {
  if (const auto number = descriptor_named(path)) {
    take_descriptor(*number);
  } else {
    find_file();
  }
}

void WholeFile::take_descriptor(int number) {
  constexpr int kAboveTheStandardOnes = 3;
  directly_ = true;
  identity_ = format("descriptor {}", number);
  descriptor_ = Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, kAboveTheStandardOnes));
  if (!descriptor_) throw SystemError("cannot write " + path_, errno);
}

void WholeFile::find_file() {
  const Resolved resolved = resolve(path_);
  identity_ = resolved.path;
  if (resolved.file && S_ISDIR(resolved.file->st_mode)) {
    throw SystemError("cannot write " + path_, EISDIR);
  }
  directly_ = resolved.file && !S_ISREG(resolved.file->st_mode);
  if (directly_) refuse_planted(resolved);
  directly_ ? require_access(path_, W_OK) : require_access(folder_of(identity_), W_OK | X_OK);
}

void WholeFile::write(const std::function<void(std::ostream&)>& fill) const {
  if (!directly_) return replace(fill);
  if (descriptor_) return fill_descriptor(descriptor_.get(), path_, fill);
  const Descriptor opened(::open(identity_.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) throw SystemError("cannot open " + path_, errno);
  fill_descriptor(opened.get(), path_, fill);
}

void WholeFile::replace(const std::function<void(std::ostream&)>& fill) const {
  Draft draft(identity_);
  struct stat old {};
  if (::lstat(identity_.c_str(), &old) == 0 && S_ISREG(old.st_mode)) {
    ::fchmod(draft.descriptor(), old.st_mode & kPermissions);
  }
  fill_descriptor(draft.descriptor(), path_, fill);
  draft.become(identity_);
}

}  // namespace osiiso::base
