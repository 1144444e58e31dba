// SPDX-License-Identifier: MIT
#include "base/whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

#include "support/program.hpp"

namespace osiiso::base {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::TemporaryFolder;

void write(const std::string& path, const std::string& text) {
  WholeFile(path).write([&](std::ostream& out) { out << text; });
}

std::string refusal(const std::string& path) {
  try {
    const WholeFile file(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

mode_t mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

}  // namespace

TEST_CASE("a file is written as the umask says, and replaced with the permissions that it has") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a";
  const mode_t before = ::umask(027);
  write(path, "one");
  ::umask(before);
  CHECK(mode_of(path) == 0640);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  write(path, "two");
  CHECK(read_file(path) == "two");
  CHECK(mode_of(path) == 0600);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a reader of the old file goes on reading it, and looking changes nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  std::ifstream reader(path);
  const WholeFile file(path);
  CHECK(read_file(path) == "old");
  file.write([](std::ostream& out) { out << "new"; });
  std::string seen;
  reader >> seen;
  CHECK(seen == "old");
  CHECK(read_file(path) == "new");
}

TEST_CASE("where the writing fails, the file is what it was and nothing is left beside it") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  const auto fail = [](std::ostream& out) {
    out << "half";
    throw Error("no");
  };
  CHECK_THROWS_AS(WholeFile(path).write(fail), Error);
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a link of one's own is followed, also to what is not there yet") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() + "/real");
  fs::create_symlink("real/a", folder.path() + "/link");
  write(folder.path() + "/link", "text");
  CHECK(fs::is_symlink(folder.path() + "/link"));
  CHECK(read_file(folder.path() + "/real/a") == "text");
  CHECK(WholeFile(folder.path() + "/link").identity() ==
        WholeFile(folder.path() + "/real/../real/a").identity());
}

TEST_CASE("a link of another user is not followed") {
  if (::geteuid() != 0) return;  // who could make one
  const TemporaryFolder folder;
  const std::string target = folder.write("target", "kept");
  const std::string link = folder.path() + "/link";
  fs::create_symlink(target, link);
  const uid_t nobody = 65534;
  REQUIRE(::lchown(link.c_str(), nobody, nobody) == 0);
  CHECK(refusal(link).ends_with("/link is a symbolic link of another user"));
  CHECK(read_file(target) == "kept");
}

TEST_CASE("a pipe that another user put where everybody can is not written to") {
  if (::geteuid() != 0) return;  // who could make one
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/pipe";
  REQUIRE(::mkfifo(path.c_str(), 0666) == 0);
  const uid_t nobody = 65534;
  REQUIRE(::chown(path.c_str(), nobody, nobody) == 0);
  CHECK(refusal(path) == "none");
  REQUIRE(::chmod(folder.path().c_str(), 01777) == 0);
  CHECK(refusal(path) == "it is another user's, in a folder that everybody can write to");
}

TEST_CASE("what cannot be written is refused beforehand, with the reason") {
  const TemporaryFolder folder;
  CHECK(refusal(folder.path()).ends_with(": Is a directory"));
  CHECK(refusal(folder.path() + "/") == "it is a folder");
  CHECK(refusal(folder.path() + "/no/a").ends_with("/no/: No such file or directory"));
  CHECK(refusal(folder.write("file", "") + "/a").ends_with(": Not a directory"));
  CHECK(refusal("/dev/fd/987654").ends_with(": Bad file descriptor"));
  fs::create_symlink("loop", folder.path() + "/loop");
  CHECK(refusal(folder.path() + "/loop") == "too many symbolic links");
}

TEST_CASE("a descriptor and a device are written directly") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "");
  const Descriptor opened(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const std::string name = "/dev/fd/" + std::to_string(opened.get());
  write(name, "one");
  write(name, "two");
  CHECK(read_file(path) == "onetwo");
  write("/dev/null", "nothing");
  CHECK_THROWS_WITH_AS(write("/dev/full", "x"), "cannot write /dev/full: No space left on device",
                       SystemError);
}

}  // namespace osiiso::base
