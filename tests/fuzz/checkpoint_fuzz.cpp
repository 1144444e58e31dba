// SPDX-License-Identifier: MIT
//
// Checkpoint files: any bytes are refused or opened, and what was opened can be used. The first
// byte chooses what the rest is: a whole file, or damage done to a checkpoint or to its log.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "osiiso/checkpoint.hpp"

#include "fuzz/fuzz.hpp"
#include "support/files.hpp"

using namespace osiiso;

namespace {

constexpr int kTasks = 40;
constexpr std::size_t kMostPatch = 16;
const std::string kSpace = "space";
const std::string kPrinted(100, 'x');

std::string key_of(int task) {
  return "key " + std::to_string(task);
}

/// A checkpoint as a run leaves it, and as it is when the run was killed.
struct Written {
  std::string closed;
  std::string open;
  std::string log;  // of the open one
};

Written write_checkpoint(const test::TemporaryFolder& folder) {
  Written written;
  {
    Checkpoint checkpoint(folder.file("made"));
    for (int task = 0; task < kTasks; ++task) {
      checkpoint.recorder<std::string>(kSpace, key_of(task), "name")->record_success(kPrinted);
    }
    written.open = test::read_file(folder.file("made"));
    written.log = test::read_file(folder.file("made-wal"));
  }
  written.closed = test::read_file(folder.file("made"));
  return written;
}

std::optional<std::string> restored(Checkpoint& checkpoint, const std::string& key) {
  const auto value = checkpoint.recorder<std::string>(kSpace, key, "name")->restore();
  return value ? std::optional(std::any_cast<std::string>(*value)) : std::nullopt;
}

/// How many of the tasks, from the first on, the checkpoint knows; and that it knows no others.
int count_known(const Checkpoint& checkpoint) {
  int known = 0;
  for (int task = 0; task < kTasks; ++task) {
    const auto standing = checkpoint.standing(kSpace, key_of(task), "of no task");
    if (standing == Checkpoint::Standing::is_new) continue;
    fuzz::require(known == task, "nothing is lost but from the end");
    ++known;
  }
  return known;
}

/// None: the file is refused.
std::optional<int> open_and_count(const std::string& path) {
  try {
    Checkpoint checkpoint(path);
    try {
      for (int task = 0; task < kTasks; ++task) restored(checkpoint, key_of(task));
    } catch (const CheckpointError&) {  // a value that is damaged
    }
    const int known = count_known(checkpoint);
    checkpoint.recorder<std::string>(kSpace, "more", "more")->record_success(kPrinted);
    return known;
  } catch (const CheckpointError& error) {
    fuzz::require(std::string_view(error.what()).starts_with("checkpoint " + path + ": "),
                  "an error names the file");
    return std::nullopt;
  }
}

void require_recorded(const std::string& path) {
  Checkpoint checkpoint(path);
  fuzz::require(restored(checkpoint, "more") == kPrinted, "what was recorded is there again");
}

/// A place in `bytes` that the first two of `input` choose; takes these from it.
std::size_t place_in(const std::string& bytes, std::string& input) {
  std::size_t place = 0;
  for (int i = 0; i < 2 && !input.empty(); ++i) {
    place = place << 8 | static_cast<unsigned char>(input.front());
    input.erase(0, 1);
  }
  return place % bytes.size();
}

std::string patched(std::string bytes, std::string input) {
  const std::size_t at = place_in(bytes, input);
  const std::size_t size = std::min({input.size(), kMostPatch, bytes.size() - at});
  return bytes.replace(at, size, input, 0, size);
}

std::string cut(const std::string& bytes, std::string input) {
  return bytes.substr(0, place_in(bytes, input)) + input;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TemporaryFolder folder;
  static const Written written = write_checkpoint(folder);
  if (size == 0) return 0;
  const std::string rest = fuzz::text_of(data + 1, size - 1);
  const std::string path = folder.file("c");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(path + suffix);

  std::optional<int> least;  // of the tasks that a file which opens must know
  switch (data[0] % 5) {
    case 0:
      folder.write("c", rest);
      break;
    case 1:
      folder.write("c", patched(written.closed, rest));
      least = kTasks;
      break;
    case 2:
      folder.write("c", cut(written.closed, rest));
      break;
    case 3:
      folder.write("c", written.open);
      folder.write("c-wal", patched(written.log, rest));
      least = 0;
      break;
    default:
      folder.write("c", written.open);
      folder.write("c-wal", cut(written.log, rest));
      least = 0;
  }
  const auto known = open_and_count(path);
  if (!known) return 0;
  fuzz::require(*known >= least.value_or(0), "no record of a whole file is lost silently");
  require_recorded(path);
  return 0;
}
