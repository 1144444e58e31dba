// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "osiiso/checkpoint.hpp"

#include "support/process_guard.hpp"
#include "support/program.hpp"

namespace fs = std::filesystem;
using osiiso::Checkpoint;
using osiiso::CheckpointError;
using osiiso::test::read_file;
using osiiso::test::TemporaryFolder;

namespace {

/// Why the file is refused; empty: it is not.
std::string refusal(const std::string& path,
                    Checkpoint::Access access = Checkpoint::Access::record) {
  try {
    const Checkpoint checkpoint(path, access);
    return {};
  } catch (const CheckpointError& error) {
    const std::string text = error.what();
    const std::string start = "checkpoint " + path + ": ";
    REQUIRE(text.starts_with(start));
    return text.substr(start.size());
  }
}

void execute(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// A checkpoint with so many rows.
std::string make_checkpoint(const TemporaryFolder& folder, int rows = 1) {
  std::string path = folder.path() + "/c";
  Checkpoint checkpoint(path);
  for (int i = 0; i < rows; ++i) {
    checkpoint.recorder<std::string>("space", std::to_string(i), "name")
        ->record_success(std::string(200, 'x'));
  }
  return path;
}

}  // namespace

TEST_CASE("CHK-4: a new file is made with the umask's mode; looking makes none") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  CHECK(refusal(path, Checkpoint::Access::look).empty());
  CHECK(fs::is_empty(folder.path()));

  const mode_t before = ::umask(027);
  CHECK(refusal(path).empty());
  ::umask(before);
  struct stat made {};
  REQUIRE(::stat(path.c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0640);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("CHK-4: an empty file is a new checkpoint, looking leaves it empty") {
  const TemporaryFolder folder;
  const std::string path = folder.write("c", "");
  CHECK(refusal(path, Checkpoint::Access::look).empty());
  CHECK(read_file(path).empty());
  CHECK(refusal(path).empty());
  CHECK_FALSE(read_file(path).empty());
}

TEST_CASE("CHK-4: what is no checkpoint is refused and left as it is") {
  const TemporaryFolder folder;
  for (const std::string text : {"x", "tasks: [make]\n", "SQLite format 3"}) {
    const std::string path = folder.write("text", text);
    CHECK(refusal(path) == "it is not a checkpoint");
    CHECK(read_file(path) == text);
  }
  const std::string foreign = folder.path() + "/foreign";
  execute(foreign, "PRAGMA journal_mode = WAL; CREATE TABLE mine(x)");
  const std::string before = read_file(foreign);
  CHECK(refusal(foreign) == "it is not a checkpoint");
  CHECK(refusal(foreign, Checkpoint::Access::look) == "it is not a checkpoint");
  CHECK(read_file(foreign) == before);
  CHECK(refusal(folder.path()) == "it is no regular file");
  CHECK(refusal(folder.path() + "/") == "it is a folder");
  CHECK(refusal(folder.path() + "/none/c") ==
        "cannot find " + folder.path() + "/none/: No such file or directory");
  REQUIRE(::mkfifo((folder.path() + "/fifo").c_str(), 0600) == 0);
  CHECK(refusal(folder.path() + "/fifo") == "it is no regular file");
}

TEST_CASE("CHK-4: a checkpoint of a later schema is refused") {
  const TemporaryFolder folder;
  const std::string path = make_checkpoint(folder);
  execute(path, "PRAGMA user_version = 2");
  CHECK(refusal(path) == "it was written by a later osiiso (schema 2, this one knows 1)");
}

TEST_CASE("CHK-4: other tables, triggers and views in the file are refused") {
  const TemporaryFolder folder;
  for (const char* sql :
       {"CREATE TABLE more(x)",
        "CREATE TRIGGER t AFTER INSERT ON tasks BEGIN DELETE FROM tasks; END",
        "ALTER TABLE tasks ADD COLUMN more", "DROP TABLE tasks; CREATE VIEW tasks AS SELECT 1"}) {
    const std::string path = make_checkpoint(folder);
    execute(path, sql);
    CHECK(refusal(path) == "it is damaged: its tables are not those of a checkpoint");
    fs::remove(path);
  }
}

TEST_CASE("CHK-4: a damaged file is refused, and never crashes anybody") {
  const TemporaryFolder folder;
  const std::string path = make_checkpoint(folder, 200);
  const std::string whole = read_file(path);
  for (std::size_t size = 1; size < whole.size(); size += 1999) {
    folder.write("c", whole.substr(0, size));
    CAPTURE(size);
    CHECK_FALSE(refusal(path).empty());
  }
  // Whatever a flipped byte is, it is refused or harmless.
  for (std::size_t at = 16; at < whole.size(); at += 911) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    folder.write("c", damaged);
    refusal(path);
    fs::remove(path + "-wal");
    fs::remove(path + "-journal");
  }
}

TEST_CASE("CHK-4: a checkpoint without its table is damaged, and no new one") {
  const TemporaryFolder folder;
  const std::string path = make_checkpoint(folder);
  execute(path, "DROP TABLE tasks");
  CHECK(refusal(path) == "it is damaged: its tables are not those of a checkpoint");
}

TEST_CASE("CHK-4: a row that its index does not find is damage, not a task to run again") {
  const TemporaryFolder folder;
  const std::string path = make_checkpoint(folder, 3);
  std::string bytes = read_file(path);
  const auto last = bytes.rfind("space2");  // the index comes after the table
  REQUIRE(last != std::string::npos);
  bytes[last + 5] = '7';
  folder.write("c", bytes);
  CHECK(refusal(path).starts_with("it is damaged: "));
}

TEST_CASE("CHK-4: a status that there is not is damage") {
  const TemporaryFolder folder;
  const std::string path = make_checkpoint(folder);
  execute(path, "UPDATE tasks SET status = 'succeedee'");
  Checkpoint checkpoint(path);
  CHECK_THROWS_AS(checkpoint.standing("space", "0", "name"), CheckpointError);
  CHECK_THROWS_AS(checkpoint.recorder<std::string>("space", "0", "name")->restore(),
                  CheckpointError);
}

/// Whether another process finds a lock on the file.
bool is_locked(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    const int file = ::open(path.c_str(), O_RDWR);
    const bool asked = ::fcntl(file, F_GETLK, &lock) == 0;
    ::_exit(asked && lock.l_type != F_UNLCK ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST_CASE("CHK-4: two at once are refused, and the refused one takes nothing from the first") {
  const osiiso::test::ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  std::optional<Checkpoint> checkpoint(std::in_place, path);
  CHECK(is_locked(path));
  CHECK(refusal(path) == "it is in use by another run");
  CHECK(refusal(path, Checkpoint::Access::look) == "it is in use by another run");
  fs::create_symlink("c", folder.path() + "/link");
  CHECK(refusal(folder.path() + "/link") == "it is in use by another run");
  CHECK(is_locked(path));
  checkpoint.reset();
  CHECK_FALSE(is_locked(path));
  CHECK(refusal(path).empty());
}

TEST_CASE("CHK-4: a recorder keeps the file open beyond its checkpoint") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  osiiso::RecorderPtr task;
  {
    Checkpoint checkpoint(path);
    task = checkpoint.recorder<int>("space", "key", "name");
  }
  task->record_success(1);
  task.reset();
  Checkpoint checkpoint(path);
  CHECK(checkpoint.recorder<int>("space", "key", "name")->restore());
}

TEST_CASE("a link is followed where we or root made it, and refused where somebody else did") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  fs::create_symlink("target", path);
  // A link to nothing is not followed to make something.
  CHECK(refusal(path).starts_with("cannot find "));
  folder.write("target", "");
  CHECK(refusal(path).empty());
  CHECK(fs::file_size(folder.path() + "/target") > 0);
  if (::geteuid() != 0) return;
  REQUIRE(::lchown(path.c_str(), 0, 0) == 0);
  const uid_t nobody = 65534;
  REQUIRE(::lchown(path.c_str(), nobody, nobody) == 0);
  CHECK(refusal(path) == path + " is a symbolic link of another user");
  // Nor is a link of ours followed to one of somebody else.
  fs::create_symlink("c", folder.path() + "/ours");
  CHECK(refusal(folder.path() + "/ours") == path + " is a symbolic link of another user");
}

TEST_CASE("a chain of links has an end") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a";
  fs::create_symlink(folder.path() + "/b", path);
  fs::create_symlink("a", folder.path() + "/b");
  CHECK(refusal(path) == "too many symbolic links");
  fs::remove(folder.path() + "/b");
  folder.write("b", "");
  CHECK(refusal(path).empty());
}

TEST_CASE("a file of somebody else is refused where everybody could have put it") {
  if (::geteuid() != 0) return;
  const uid_t nobody = 65534;
  for (const std::string suffix : {"", "-wal", "-journal"}) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/c";
    folder.write("c" + suffix, "");
    REQUIRE(::chown((path + suffix).c_str(), nobody, nobody) == 0);
    REQUIRE(::chmod(folder.path().c_str(), 01777) == 0);
    CHECK(refusal(path) ==
          path + suffix + " is a file of another user in a folder that everybody can write to");
    // In a folder that is shared with some only, they are trusted.
    REQUIRE(::chmod(folder.path().c_str(), 0775) == 0);
    CHECK(refusal(path).empty());
  }
}

TEST_CASE("the files that SQLite keeps beside the checkpoint are not links either") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  folder.write("victim", "precious");
  for (const std::string suffix : {"-wal", "-shm", "-journal"}) {
    fs::create_symlink("victim", path + suffix);
    CHECK(refusal(path) == path + suffix + " is no regular file");
    CHECK(read_file(folder.path() + "/victim") == "precious");
    fs::remove(path + suffix);
  }
}
