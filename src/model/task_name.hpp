// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "osiiso/batch.hpp"
#include "osiiso/task_body.hpp"

namespace osiiso::model {

/// What a task is called that was given no name: that of its command, or `task` for a function.
std::string default_name(const TaskBody& body);

/// What a task of a batch is called: its own name, or the default one.
std::string name_of(const Batch::TaskEntry& task);

/// The group that a task of a batch is counted under; empty: none.
const std::string& group_of(const Batch& batch, const Batch::TaskEntry& task);

/// The text of a command on one line, cut at 60 columns with `…`.
std::string name_of_command(std::string_view text);

}  // namespace osiiso::model
