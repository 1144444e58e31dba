// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "osiiso/hooks.hpp"
#include "osiiso/task_handle.hpp"

#include "base/descriptor.hpp"
#include "base/temp_file.hpp"
#include "cli/exit_code.hpp"

namespace osiiso::cli {

/// A task's name as that of a folder: one path component of at most 100 bytes, visible, without
/// anything that a terminal or a shell would trip over. Names that differ may give the same.
std::string folder_name(std::string_view task_name);

/// How the folders of tasks are called.
enum class LogNames {
  by_task,    ///< as the tasks; of several with one name, all but the first have a number
  by_number,  ///< with the number of the task, always: for those that are not known beforehand
};

/// The full output of every attempt, byte for byte, written as it comes: `TASK/ATTEMPT/stdout` and
/// `stderr` below one folder, with an `index.json` that says which folder is whose. What an earlier
/// run left there is replaced task by task; no symbolic link is followed. What cannot be written is
/// told, and the run goes on.
class LogFolder {
 public:
  /// Makes the folder where there is none. Throws `Error` where that cannot be, or it is somebody
  /// else's.
  LogFolder(const std::string& path, LogNames names);

  /// Makes the queue call it.
  void listen(Hooks& hooks);
  /// The tasks in submission order, before the run; those that are known.
  void follow(std::vector<AnyTaskHandle> tasks);
  /// Completes the index. Says what could not be written, and how the run ended besides.
  ExitCode finish(const std::string& what_happened);

 private:
  struct Attempt {
    std::string name;  // TASK/ATTEMPT
    base::Descriptor out;
    base::Descriptor err;
  };
  using AttemptPtr = std::shared_ptr<Attempt>;

  void begin(const HookTask& task);
  void take(const TaskContext& attempt, OutputStream stream, std::string_view bytes);
  void end(const std::string& task_id);
  Attempt open(const HookTask& task) const;
  void allot_folders();
  std::string folder_of(const std::string& task_id, const std::string& name,
                        std::uint64_t number) const;
  void note(const TaskResult& result);
  void write_index();
  void write_entries(std::ostream& out) const;
  void fail(const std::string& error);

  std::string path_;
  base::Descriptor folder_;
  const LogNames names_;

  // Fixed before the run.
  std::vector<AnyTaskHandle> tasks_;
  std::unordered_map<std::string, std::string> renamed_;  // folders that another name had taken

  std::mutex mutex_;
  std::map<std::string, AttemptPtr> open_;  // by task id
  std::string error_;                       // the first one
  std::optional<base::TempFile> entries_;   // of the index; by number: of the tasks that ended
};

}  // namespace osiiso::cli
