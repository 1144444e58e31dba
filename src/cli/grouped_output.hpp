// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/temp_file.hpp"
#include "cli/task_output.hpp"

namespace osiiso::cli {

/// Each task's streams in one piece, in submission order. What waits for its turn is in memory as
/// long as it is little, else in a temporary file.
class GroupedOutput final : public TaskOutput {
 public:
  GroupedOutput(bool all_to_stderr, const CiLog& log) : TaskOutput(all_to_stderr), log_(log) {}

  void listen(Hooks& hooks) override;
  std::size_t waiting() const override;

 private:
  struct Part {
    std::uint64_t at;
    std::size_t size;
  };
  /// What was printed to one stream: parts that are in the file, and then this text.
  struct Printed {
    std::vector<Part> parts;
    std::string text;

    bool empty() const { return parts.empty() && text.empty(); }
  };
  struct Streams {
    Printed out;
    Printed err;
  };
  struct Waiting {
    std::string name;
    Streams streams;
  };

  void take(const TaskContext& attempt, OutputStream stream, std::string_view bytes);
  void finish_task(const TaskResult& result);
  std::optional<Waiting> take_due();
  Streams take_streams(const std::string& task_id);
  void put_away(Printed& printed);
  void forget(const Streams& streams);

  void show(const Waiting& task);
  std::string kept_of(const Printed& printed);
  void show_plain(int descriptor, const Printed& printed);
  /// Hands over all of it, piece by piece.
  void each_piece(const Printed& printed, const std::function<void(std::string_view)>& take);

  const CiLog& log_;

  mutable std::mutex mutex_;
  std::map<std::string, Streams> running_;    // by task id
  std::map<std::uint64_t, Waiting> waiting_;  // by number: finished before others that come first
  std::uint64_t next_ = 1;                    // the task that is shown next
  std::size_t held_ = 0;                      // bytes of text that wait
  std::optional<base::TempFile> file_;
};

}  // namespace osiiso::cli
