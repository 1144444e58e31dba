// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include "osiiso/command.hpp"

namespace osiiso::model {

/// What a command left, as it crosses between processes and is kept in checkpoints. To be written
/// as CBOR: its texts are whatever bytes the command printed.
nlohmann::json to_json(const CommandOutput& output);

/// The reverse. Throws `nlohmann::json::exception` for what is none.
CommandOutput to_command_output(const nlohmann::json& value);

}  // namespace osiiso::model
