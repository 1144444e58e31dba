// SPDX-License-Identifier: MIT
#include "base/links.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "osiiso/error.hpp"

#include "base/format.hpp"

namespace osiiso::base {
namespace {

// As many as the kernel follows.
constexpr int kMostLinks = 40;

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  if (!real) throw SystemError("cannot find " + path, errno);
  return real.get();
}

/// The folder without symbolic links; the last component as it stands.
std::string in_real_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty()) throw Error("it is a folder");
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string real = real_path(folder);
  return real == "/" ? real + name : real + '/' + name;
}

/// What the link at `path` points to.
std::string target_of(const std::string& path, const struct stat& link) {
  if (is_of_others(link)) throw Error(format("{} is a symbolic link of another user", path));
  std::error_code error;
  const auto target = std::filesystem::read_symlink(path, error);
  if (error) throw SystemError("cannot read " + path, error.value());
  return (std::filesystem::path(path).parent_path() / target).string();
}

}  // namespace

Resolved resolve(const std::string& path) {
  Resolved resolved{.path = in_real_folder(path), .file = {}, .through_link = false};
  resolved.file = look_at(resolved.path);
  for (int links = 0; resolved.file && S_ISLNK(resolved.file->st_mode); ++links) {
    if (links == kMostLinks) throw Error("too many symbolic links");
    resolved.through_link = true;
    resolved.path = in_real_folder(target_of(resolved.path, *resolved.file));
    resolved.file = look_at(resolved.path);
  }
  return resolved;
}

std::optional<struct stat> look_at(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) return found;
  if (errno == ENOENT) return std::nullopt;
  throw SystemError("cannot look at " + path, errno);
}

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool is_of_others(const struct stat& file) {
  return file.st_uid != 0 && file.st_uid != ::geteuid();
}

bool is_planted(const std::string& path, const struct stat& file) {
  if (!is_of_others(file)) return false;
  struct stat folder {};
  const auto parent = std::filesystem::path(path).parent_path();
  return ::stat(parent.c_str(), &folder) != 0 || (folder.st_mode & S_IWOTH) != 0;
}

void refuse_planted(const Resolved& found) {
  if (found.file && is_planted(found.path, *found.file)) {
    throw Error("it is another user's, in a folder that everybody can write to");
  }
}

}  // namespace osiiso::base
