// SPDX-License-Identifier: MIT
#include "model/command_output_json.hpp"

#include "model/json_values.hpp"

namespace osiiso::model {

using nlohmann::json;

json to_json(const CommandOutput& output) {
  return {{"exit_code", of(output.exit_code)},
          {"signal", of(output.signal)},
          {"core_dumped", output.core_dumped},
          {"stdout", output.stdout_text},
          {"stderr", output.stderr_text},
          {"stdout_bytes", output.stdout_bytes},
          {"stderr_bytes", output.stderr_bytes},
          {"truncated", output.truncated},
          {"cpu_user", of(output.cpu_user)},
          {"cpu_system", of(output.cpu_system)},
          {"max_rss", output.max_rss}};
}

CommandOutput to_command_output(const json& value) {
  return {.exit_code = to_optional<int>(value.at("exit_code")),
          .signal = to_optional<int>(value.at("signal")),
          .core_dumped = value.at("core_dumped"),
          .stdout_text = value.at("stdout"),
          .stderr_text = value.at("stderr"),
          .stdout_bytes = value.at("stdout_bytes"),
          .stderr_bytes = value.at("stderr_bytes"),
          .truncated = value.at("truncated"),
          .cpu_user = to_duration(value.at("cpu_user")),
          .cpu_system = to_duration(value.at("cpu_system")),
          .max_rss = value.at("max_rss")};
}

}  // namespace osiiso::model
