// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "osiiso/callable.hpp"
#include "osiiso/error.hpp"
#include "osiiso/recorder.hpp"
#include "osiiso/remote_call.hpp"

namespace osiiso {

namespace checkpoint {
class Store;
}  // namespace checkpoint

/// A checkpoint cannot be used, read or written; the text names the file and the reason.
class CheckpointError : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// How values of one type are written and read: as CBOR, like those that cross to worker processes.
struct ValueCodec {
  using Bytes = std::vector<std::uint8_t>;
  Bytes (*write)(const std::any& value);
  std::any (*read)(const Bytes& bytes);
};

ValueCodec command_output_codec();

template <typename T>
ValueCodec::Bytes write_value([[maybe_unused]] const std::any& value) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else if constexpr (std::is_copy_constructible_v<T>) {
    return nlohmann::json::to_cbor(nlohmann::json(std::any_cast<const T&>(value)));
  } else {
    const auto& held = std::any_cast<const std::shared_ptr<const T>&>(value);
    return nlohmann::json::to_cbor(nlohmann::json(*held));
  }
}

template <typename T>
std::any read_value([[maybe_unused]] const ValueCodec::Bytes& bytes) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return erased(read_cbor(bytes).template get<T>());
  }
}

template <typename T>
ValueCodec codec_of() {
  if constexpr (std::is_same_v<T, CommandOutput>) {
    return command_output_codec();
  } else {
    static_assert(std::is_void_v<T> || Serialisable<T>,
                  "a value of this type cannot be kept in a checkpoint: nlohmann-json must convert "
                  "it both ways (to_json, from_json)");
    return {.write = &write_value<T>, .read = &read_value<T>};
  }
}

/// Arguments as the text that tells them apart. Throws `OptionError` where JSON has no text for
/// them (NaN, infinities, text that is not UTF-8).
std::string key_of_arguments(const nlohmann::json& arguments);

/// The arguments of one item, with the way in which they are passed: one argument `[1,2]` and two
/// arguments `1, 2` are not the same.
template <typename Item>
std::string argument_key(const Item& item) {
  const auto to_json = [](const auto& part) {
    using Part = wire_t<std::decay_t<decltype(part)>>;
    static_assert(std::is_constructible_v<nlohmann::json, const Part&>,
                  "an argument cannot be made a key: nlohmann-json must convert it (to_json), or "
                  "a key function must be given");
    return nlohmann::json(Part(part));
  };
  auto key = nlohmann::json::object();
  if constexpr (is_tuple<Item>) {
    auto& parts = key["spread"] = nlohmann::json::array();
    std::apply([&](const auto&... part) { (parts.push_back(to_json(part)), ...); }, item);
  } else {
    key["single"] = to_json(item);
  }
  return key_of_arguments(key);
}

}  // namespace detail

/// The default key of a task in a checkpoint: its arguments.
struct KeyByArguments {};

class Checkpoint;

/// A namespace of a checkpoint, with the rule that makes a task's key of its arguments. Made by
/// `Checkpoint::in`, handed to `map` or `group`; must not outlive the checkpoint.
template <typename Key>
class CheckpointSpace {
 public:
  CheckpointSpace(Checkpoint& checkpoint, std::string name, Key key)
      : checkpoint_(&checkpoint), name_(std::move(name)), key_(std::move(key)) {}

  /// What records the call over this item, whose value is a `T`.
  template <typename T, typename Item>
  RecorderPtr recorder(const Item& item, const std::string& task_name) const;

 private:
  template <typename Item>
  std::string key_of(const Item& item) const {
    if constexpr (std::is_same_v<Key, KeyByArguments>) {
      return detail::argument_key(item);
    } else if constexpr (detail::is_tuple<Item>) {
      return std::apply(key_, item);
    } else {
      return std::invoke(key_, item);
    }
  }

  Checkpoint* checkpoint_;
  std::string name_;
  Key key_;
};

/// What earlier runs have finished, in a file (SQLite): a task that succeeded is not run again but
/// restored, with its value. Failed and cancelled tasks run again.
///
///     osiiso::Checkpoint checkpoint("pages.checkpoint");
///     osiiso::ThreadQueue queue;
///     auto pages = queue.group({.retries = 2}, fetch, urls, checkpoint.in("fetch"));
///     queue.run();                        // after a crash: only what was not fetched before
///     if (const auto error = checkpoint.error()) complain(*error);
///
/// A task is known by its namespace and its key, never by its position. The key is its arguments,
/// or what a function of yours makes of them: `checkpoint.in("fetch", [](const Url& url) { return
/// url.path(); })`. Nobody looks into the function that is called, so a namespace is for one
/// function; change it when the function's values are to be computed anew. Tasks with equal keys
/// share one value.
///
/// A success is in the file before anybody hears of it, and stays there whichever process is killed
/// at whatever instant; after a power failure the file may be lost. The file belongs to one
/// `Checkpoint` at a time. All members may be called from any thread.
class Checkpoint {
 public:
  enum class Access {
    record,  ///< creates the file, with the process's umask, where there is none
    look,    ///< for `standing`: without a file, nothing was done before
  };

  /// Why a task runs, or does not.
  enum class Standing {
    done,              ///< it succeeded before, and is restored
    is_new,            ///< it was never seen
    changed,           ///< a task of its name was seen with another key
    failed_before,     ///< it failed when it was last run
    cancelled_before,  ///< it was cancelled
  };

  /// Throws `CheckpointError` for a file that is no checkpoint, is damaged, has a later version or
  /// is used by another process; and for one that belongs to somebody else (neither this user nor
  /// root) where it is a symbolic link or lies in a folder that everybody can write to.
  explicit Checkpoint(const std::string& path, Access access = Access::record);
  /// Writes what is still to be written. The file is closed when the last task that records in it
  /// is final, too.
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// The tasks of `map` or `group` under this namespace, which must not be empty (`OptionError`).
  /// `key` is called with what the task's function is called with, and returns a `std::string`.
  template <typename Key = KeyByArguments>
  CheckpointSpace<Key> in(std::string name_space, Key key = {}) {
    require_namespace(name_space);
    return {*this, std::move(name_space), std::move(key)};
  }

  /// What records one task, for `Batch::record`. `T` is the type of its value, `CommandOutput` for
  /// a command; `name` tells `standing` which task it was.
  template <typename T>
  RecorderPtr recorder(const std::string& name_space, const std::string& key,
                       const std::string& name) {
    return make_recorder(name_space, key, name, detail::codec_of<T>());
  }

  /// Whether a task would run, and why. Throws `CheckpointError`.
  Standing standing(const std::string& name_space, const std::string& key,
                    const std::string& name) const;

  /// Writes what need not be written at once: which tasks were cancelled. Throws `CheckpointError`.
  void flush();

  /// What went wrong first while something was to be recorded, and how many tasks are missing
  /// because of it; none: everything is in the file. The runs themselves went on.
  std::optional<std::string> error() const;

  /// As it was given.
  const std::string& path() const;

 private:
  static void require_namespace(const std::string& name_space);
  RecorderPtr make_recorder(std::string name_space, std::string key, std::string name,
                            detail::ValueCodec codec);

  std::shared_ptr<checkpoint::Store> store_;
};

/// The words that reports use: `done`, `new`, `changed`, `failed before`, `cancelled before`.
const char* to_string(Checkpoint::Standing standing);

template <typename Key>
template <typename T, typename Item>
RecorderPtr CheckpointSpace<Key>::recorder(const Item& item, const std::string& task_name) const {
  return checkpoint_->recorder<T>(name_, key_of(item), task_name);
}

}  // namespace osiiso
