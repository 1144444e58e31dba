// SPDX-License-Identifier: MIT
#include "osiiso/checkpoint.hpp"

#include <utility>

#include "base/format.hpp"
#include "checkpoint/store.hpp"
#include "model/command_output_json.hpp"

namespace osiiso {
namespace {

using checkpoint::Store;
using checkpoint::TaskKey;
using checkpoint::TaskKeyPtr;
using nlohmann::json;

class FileRecorder final : public Recorder {
 public:
  FileRecorder(std::shared_ptr<Store> store, TaskKeyPtr task, detail::ValueCodec codec)
      : store_(std::move(store)), task_(std::move(task)), codec_(codec) {}

  std::optional<std::any> restore() override {
    const auto bytes = store_->restore(task_);
    if (!bytes) return {};
    try {
      return codec_.read(*bytes);
    } catch (const std::exception& error) {  // also what a from_json of the user's throws
      throw CheckpointError(
          base::format("checkpoint {}: the value of task '{}' is of another type ({}); another "
                       "namespace keeps the two apart",
                       store_->path(), task_->name, error.what()));
    }
  }

  void record_success(const std::any& value) override {
    store_->record_success(task_, codec_.write(value));
  }

  void record_end(Status status) override {
    if (status == Status::failed) {
      store_->record_failure(task_);
    } else {
      store_->note_cancelled(task_);
    }
  }

 private:
  const std::shared_ptr<Store> store_;
  const TaskKeyPtr task_;
  const detail::ValueCodec codec_;
};

using OutputPtr = std::shared_ptr<const CommandOutput>;

detail::ValueCodec::Bytes write_output(const std::any& value) {
  return json::to_cbor(model::to_json(*std::any_cast<const OutputPtr&>(value)));
}

std::any read_output(const detail::ValueCodec::Bytes& bytes) {
  return detail::erased(model::to_command_output(detail::read_cbor(bytes)));
}

}  // namespace

detail::ValueCodec detail::command_output_codec() {
  return {.write = &write_output, .read = &read_output};
}

std::string detail::key_of_arguments(const json& arguments) {
  std::string text;
  try {
    text = arguments.dump();
  } catch (const json::exception& error) {
    throw OptionError(base::format("arguments cannot be a key: {}", error.what()));
  }
  // Some values have no text of their own: NaN and the infinities would all be null.
  if (json::parse(text) != arguments) {
    throw OptionError("arguments cannot be a key: " + text + " does not say all of them");
  }
  return text;
}

Checkpoint::Checkpoint(const std::string& path, Access access)
    : store_(std::make_shared<Store>(path, access)) {}

Checkpoint::~Checkpoint() {
  try {
    flush();
  } catch (const CheckpointError&) {  // NOLINT(bugprone-empty-catch): `error` would tell
  }
}

Checkpoint::Standing Checkpoint::standing(const std::string& name_space, const std::string& key,
                                          const std::string& name) const {
  return store_->standing({.name_space = name_space, .key = key, .name = name});
}

void Checkpoint::flush() {
  store_->flush();
}

std::optional<std::string> Checkpoint::error() const {
  return store_->error();
}

const std::string& Checkpoint::path() const {
  return store_->path();
}

void Checkpoint::require_namespace(const std::string& name_space) {
  if (name_space.empty()) throw OptionError("the namespace must not be empty");
}

RecorderPtr Checkpoint::make_recorder(std::string name_space, std::string key, std::string name,
                                      detail::ValueCodec codec) {
  require_namespace(name_space);
  auto task = std::make_shared<const TaskKey>(
      TaskKey{.name_space = std::move(name_space), .key = std::move(key), .name = std::move(name)});
  return std::make_shared<FileRecorder>(store_, std::move(task), codec);
}

const char* to_string(Checkpoint::Standing standing) {
  switch (standing) {
    case Checkpoint::Standing::done:
      return "done";
    case Checkpoint::Standing::is_new:
      return "new";
    case Checkpoint::Standing::changed:
      return "changed";
    case Checkpoint::Standing::failed_before:
      return "failed before";
    case Checkpoint::Standing::cancelled_before:
      return "cancelled before";
  }
  return "";
}

}  // namespace osiiso
