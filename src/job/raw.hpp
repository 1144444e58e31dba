// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/queue_options.hpp"

#include "job/inputs.hpp"
#include "job/option_fields.hpp"
#include "job/plan.hpp"

namespace osiiso::job {

// What a file says, before it is known what that means together: keys come in any order, so that
// `defaults` can follow the tasks and a group's options its tasks. A bare command costs little
// more than its text here.

struct RawCommand {
  std::string text;  // of an argv: its words, each ended by a NUL
  std::uint32_t at = 0;
  bool is_argv = false;

  bool empty() const { return text.empty(); }
};

struct RawTask {
  struct Extras {
    std::string name;
    RawOptions options;
  };

  RawCommand command;              // empty: its mistake was told
  std::unique_ptr<Extras> extras;  // none for a bare command
};

struct RawInput {
  Input input;
  std::uint32_t at;
};

struct RawInputsFrom {
  std::uint32_t at = 0;
  std::string file;
  std::vector<std::string> command;
  InputFormat format = InputFormat::lines;
};

struct RawGroup {
  std::string name;
  std::uint32_t at = 0;
  int workers = 0;
  RawOptions options;
  std::vector<RawTask> tasks;
  std::vector<RawTask> finally;
  std::optional<RawCommand> command;
  std::vector<RawInput> inputs;
  std::optional<RawInputsFrom> inputs_from;
};

/// A queue option and where it was set.
template <typename T>
struct Placed {
  T value;
  std::uint32_t at;
};

struct RawQueue {
  std::optional<Placed<QueueKind>> kind;
  std::optional<Placed<std::optional<int>>> workers;  // inner none: auto
  std::optional<Placed<std::int64_t>> size;
  std::optional<Placed<Duration>> timeout;
  std::optional<Placed<Mode>> mode;
  std::optional<Placed<FailPolicy>> fail_policy;
  std::optional<Placed<OnTimeout>> on_timeout;
  std::optional<Placed<double>> rate;
  std::optional<Placed<int>> burst;
  std::optional<Placed<Duration>> grace;
};

struct RawFile {
  std::uint32_t file = 0;
  std::string folder;  // absolute
  std::string name;
  RawQueue queue;
  Environment env;
  RawOptions defaults;
  std::vector<RawTask> tasks;
  std::vector<RawGroup> groups;
  std::vector<RawTask> finally;
};

}  // namespace osiiso::job
