// SPDX-License-Identifier: MIT
#include "checkpoint/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "osiiso/checkpoint.hpp"

#include "base/descriptor.hpp"
#include "base/format.hpp"
#include "base/links.hpp"

namespace osiiso::checkpoint {
namespace {

// What SQLite keeps beside a database, as its name plus this.
constexpr std::array<const char*, 3> kSideFiles = {"-wal", "-shm", "-journal"};

// Of the file format of SQLite.
constexpr std::size_t kHeaderSize = 100;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};  // with its NUL
constexpr std::size_t kApplicationIdAt = 68;

struct Claims {
  std::mutex mutex;
  std::set<std::pair<std::uint64_t, std::uint64_t>> files;  // guarded by mutex
};

/// Never destroyed: a thread that a queue has left to itself may give up its claim at any time.
Claims& claims() {
  static auto* const all = new Claims;
  return *all;
}

std::int64_t big_endian(std::string_view bytes) {
  std::int64_t number = 0;
  for (const char byte : bytes) number = (number << 8) | static_cast<unsigned char>(byte);
  return number;
}

[[noreturn]] void fail(const std::string& shown, const std::string& reason) {
  throw CheckpointError(base::format("checkpoint {}: {}", shown, reason));
}

std::string system_text(int error) {
  return std::generic_category().message(error);
}

/// What `look` finds at `path`, its errors told of the checkpoint.
template <class Look>
auto find(Look look, const std::string& path, const std::string& shown) {
  try {
    return look(path);
  } catch (const Error& error) {
    fail(shown, error.what());
  }
}

void require_own_file(const std::string& path, const struct stat& found, const std::string& shown,
                      const std::string& otherwise) {
  if (!S_ISREG(found.st_mode)) fail(shown, otherwise);
  if (!base::is_planted(path, found)) return;
  fail(shown,
       base::format("{} is a file of another user in a folder that everybody can write to", path));
}

}  // namespace

std::string resolve_path(const std::string& path) {
  const auto [resolved, found, through_link] = find(base::resolve, path, path);
  // Whoever made a link to nothing meant another file.
  if (!found && through_link) {
    fail(path, base::format("cannot find {}: {}", resolved, system_text(ENOENT)));
  }
  if (found) require_own_file(resolved, *found, path, "it is no regular file");
  for (const char* suffix : kSideFiles) {
    const std::string beside = resolved + suffix;
    // SQLite itself makes no links, and follows none.
    if (const auto side = find(base::look_at, beside, path)) {
      require_own_file(beside, *side, path, beside + " is no regular file");
    }
  }
  return resolved;
}

void create_file(const std::string& resolved, const std::string& shown) {
  constexpr mode_t kAsTheUmaskSays = 0666;
  const base::Descriptor file(
      ::open(resolved.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kAsTheUmaskSays));
  if (!file && errno != EEXIST) fail(shown, base::format("cannot open it: {}", system_text(errno)));
}

Claim::Claim(const std::string& resolved, const std::string& shown) {
  const auto found = find(base::look_at, resolved, shown);
  if (!found) fail(shown, "it is gone");
  file_ = {found->st_dev, found->st_ino};
  const std::lock_guard lock(claims().mutex);
  if (!claims().files.insert(file_).second) fail(shown, "it is in use by another run");
}

Claim::~Claim() {
  const std::lock_guard lock(claims().mutex);
  claims().files.erase(file_);
}

bool is_absent_or_empty(const std::string& resolved) {
  struct stat found {};
  return ::lstat(resolved.c_str(), &found) != 0 || found.st_size == 0;
}

void refuse_foreign_file(const std::string& resolved, const std::string& shown,
                         std::int64_t application_id) {
  struct stat journal {};
  // Only SQLite can say what the file was before the change that this journal undoes.
  if (::lstat((resolved + "-journal").c_str(), &journal) == 0 && journal.st_size > 0) return;

  const base::Descriptor file(::open(resolved.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) fail(shown, base::format("cannot open it: {}", system_text(errno)));
  std::array<char, kHeaderSize> header{};
  const auto size = ::pread(file.get(), header.data(), header.size(), 0);
  if (size < 0) fail(shown, base::format("cannot read it: {}", system_text(errno)));
  if (size == 0) return;
  const std::string_view bytes(header.data(), static_cast<std::size_t>(size));
  if (bytes.size() < kHeaderSize || !bytes.starts_with(kMagic) ||
      big_endian(bytes.substr(kApplicationIdAt, 4)) != application_id) {
    fail(shown, "it is not a checkpoint");
  }
}

}  // namespace osiiso::checkpoint
