// SPDX-License-Identifier: MIT
#include "cli/log_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_set>
#include <utility>

#include "osiiso/error.hpp"

#include "base/characters.hpp"
#include "base/descriptor_stream.hpp"
#include "base/format.hpp"
#include "base/links.hpp"
#include "base/text.hpp"
#include "base/whole_file.hpp"
#include "cli/hook_chain.hpp"
#include "cli/result_stream.hpp"
#include "report/json_text.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kPiece = 64UL * 1024;
constexpr const char* kIndex = "index.json";
constexpr const char* kStdout = "stdout";
constexpr const char* kStderr = "stderr";

constexpr mode_t kFolder = 0777;  // as the umask says
constexpr mode_t kFile = 0666;

bool is_plain(char c) {
  return base::is_alphanumeric(c) || base::is_beyond_ascii(c) ||
         std::string_view("._-+=@,").find(c) != std::string_view::npos;
}

base::Descriptor opened(int descriptor, const std::string& path) {
  if (descriptor < 0) throw SystemError("cannot write to " + path, errno);
  return base::Descriptor(descriptor);
}

/// `name` in `parent`, made where there is none.
base::Descriptor folder_in(const base::Descriptor& parent, const std::string& name,
                           const std::string& path) {
  if (::mkdirat(parent.get(), name.c_str(), kFolder) != 0 && errno != EEXIST) {
    throw SystemError("cannot create " + path, errno);
  }
  auto folder = opened(
      ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path);
  struct stat status {};
  if (::fstat(folder.get(), &status) != 0) throw SystemError("cannot look at " + path, errno);
  // Whoever owns it could read along.
  if (base::is_of_others(status)) throw SystemError("cannot write to " + path, EPERM);
  return folder;
}

/// A file that was not there a moment before: so it is ours, and no link.
base::Descriptor new_file(const base::Descriptor& parent, const char* name,
                          const std::string& path) {
  ::unlinkat(parent.get(), name, 0);
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  return opened(::openat(parent.get(), name, kNew, kFile), path + '/' + name);
}

/// What an earlier run had in further attempts.
void remove_retries(const base::Descriptor& task) {
  for (int attempt = 2;; ++attempt) {
    const std::string name = std::to_string(attempt);
    {
      const base::Descriptor folder(
          ::openat(task.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!folder) return;
      ::unlinkat(folder.get(), kStdout, 0);
      ::unlinkat(folder.get(), kStderr, 0);
    }
    if (::unlinkat(task.get(), name.c_str(), AT_REMOVEDIR) != 0) return;
  }
}

struct IndexEntry {
  std::string task_id;
  std::string name;
  std::string folder;
  Status status;
  int attempts;
};

std::string index_entry(const IndexEntry& task) {
  report::JsonText json;
  json.open('{');
  json.key("task_id").text(task.task_id);
  json.key("name").text(task.name);
  json.key("folder").text(task.folder);
  json.key("status").text(to_string(task.status));
  json.key("attempts").number(task.attempts);
  json.close('}');
  return json.written();
}

std::string made_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolder) != 0 && errno != EEXIST) {
    throw SystemError("cannot create " + path, errno);
  }
  return base::resolve(path).path;
}

}  // namespace

std::string folder_name(std::string_view task_name) {
  std::string name = base::escape_controls(base::replace_invalid_utf8(task_name));
  for (char& c : name) {
    if (!is_plain(c)) c = '_';
  }
  if (name.empty() || name.front() == '.' || name.front() == '-') name.insert(0, "_");
  if (name.size() <= kLongestName) return name;
  name.resize(kLongestName);
  if (const auto cut = base::find_invalid_utf8(name)) name.resize(*cut);
  return name;
}

LogFolder::LogFolder(const std::string& path, LogNames names)
    : path_(made_folder(path)),
      folder_(opened(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), path_)),
      names_(names) {
  if (::faccessat(AT_FDCWD, path_.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw SystemError("cannot write to " + path_, errno);
  }
}

void LogFolder::listen(Hooks& hooks) {
  add_call(hooks.on_start, [this](const HookTask& task) { begin(task); });
  add_call(hooks.on_output, [this](const TaskContext& attempt, OutputStream stream,
                                   std::string_view bytes) { take(attempt, stream, bytes); });
  add_call(hooks.on_retry,
           [this](const HookTask& task, const AttemptResult&) { end(task.task_id); });
  add_call(hooks.on_complete, [this](const ResultPtr& result) {
    end(result->task_id.text());
    if (names_ == LogNames::by_number) note(*result);
  });
}

void LogFolder::follow(std::vector<AnyTaskHandle> tasks) {
  tasks_ = std::move(tasks);
  allot_folders();
  write_index();
}

void LogFolder::allot_folders() {
  std::unordered_set<std::string> taken = {kIndex};
  std::unordered_map<std::string, int> copies;
  for (const auto& task : tasks_) {
    const std::string name = folder_name(task.name());
    if (taken.insert(name).second) continue;
    // No name has a tilde of its own, so that the copies are each other's only rivals.
    renamed_.emplace(task.task_id(), base::format("{}~{}", name, ++copies[name] + 1));
  }
}

std::string LogFolder::folder_of(const std::string& task_id, const std::string& name,
                                 std::uint64_t number) const {
  if (names_ == LogNames::by_number) return base::format("{}~{}", folder_name(name), number);
  const auto found = renamed_.find(task_id);
  return found == renamed_.end() ? folder_name(name) : found->second;
}

void LogFolder::begin(const HookTask& task) {
  try {
    auto attempt = std::make_shared<Attempt>(open(task));
    const std::lock_guard lock(mutex_);
    open_.insert_or_assign(task.task_id, std::move(attempt));
  } catch (const SystemError& error) {
    fail(error.what());
  }
}

LogFolder::Attempt LogFolder::open(const HookTask& task) const {
  const std::string folder = folder_of(task.task_id, task.name, task.number);
  const std::string number = std::to_string(task.attempt);
  const auto task_folder = folder_in(folder_, folder, path_ + '/' + folder);
  if (task.attempt == 1) remove_retries(task_folder);
  const std::string name = folder + '/' + number;
  const std::string path = path_ + '/' + name;
  const auto attempt_folder = folder_in(task_folder, number, path);
  return {.name = name,
          .out = new_file(attempt_folder, kStdout, path),
          .err = new_file(attempt_folder, kStderr, path)};
}

void LogFolder::take(const TaskContext& attempt, OutputStream stream, std::string_view bytes) {
  AttemptPtr log;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(attempt.task_id());
    if (found == open_.end()) return;  // it could not be opened
    log = found->second;
  }
  auto& file = stream == OutputStream::out ? log->out : log->err;
  if (!file) return;
  const int error = base::write_all(file.get(), bytes);
  if (error == 0) return;
  file.reset();
  fail(SystemError(base::format("cannot write {}/{}/{}", path_, log->name,
                                stream == OutputStream::out ? kStdout : kStderr),
                   error)
           .what());
}

void LogFolder::end(const std::string& task_id) {
  const std::lock_guard lock(mutex_);
  open_.erase(task_id);
}

void LogFolder::fail(const std::string& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_.empty()) return;
    error_ = error;
  }
  say(error + "; the run goes on");
}

/// What the index has about a task.
void LogFolder::note(const TaskResult& result) {
  const auto id = result.task_id.text();
  const auto entry = index_entry({.task_id = id,
                                  .name = result.name,
                                  .folder = folder_of(id, result.name, result.number),
                                  .status = result.status,
                                  .attempts = result.attempts});
  try {
    const std::lock_guard lock(mutex_);
    if (!entries_) entries_.emplace();
    entries_->append(entries_->size() == 0 ? entry : ",\n" + entry);
  } catch (const SystemError& error) {
    fail(error.what());
  }
}

void LogFolder::write_index() {
  try {
    base::WholeFile(path_ + '/' + kIndex).write([this](std::ostream& out) {
      out << "{\"schema\": 1, \"tasks\": [\n";
      write_entries(out);
      out << "\n]}\n";
    });
  } catch (const Error& error) {
    fail(error.what());
  }
}

void LogFolder::write_entries(std::ostream& out) const {
  const char* separator = "";
  std::uint64_t number = 0;
  for (const auto& task : tasks_) {
    const auto id = task.task_id();
    const auto name = task.name();
    out << std::exchange(separator, ",\n")
        << index_entry({.task_id = id,
                        .name = name,
                        .folder = folder_of(id, name, ++number),
                        .status = task.status(),
                        .attempts = task.attempts()});
  }
  const auto size = entries_ ? entries_->size() : 0;
  for (std::uint64_t at = 0; at < size; at += kPiece) out << entries_->read(at, kPiece);
}

ExitCode LogFolder::finish(const std::string& what_happened) {
  write_index();
  if (error_.empty()) return ExitCode::passed;
  say(error_ + what_happened);
  return ExitCode::write_failed;
}

}  // namespace osiiso::cli
