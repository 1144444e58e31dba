// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

namespace osiiso::job {

// The keys of each mapping of a job file, and the words that some of them take. Those of the task
// options, which `defaults`, tasks and groups have in common, are `option_names()`.

inline constexpr auto kTopKeys = std::to_array<std::string_view>(
    {"version", "name", "queue", "env", "defaults", "tasks", "groups", "finally"});
inline constexpr auto kQueueKeys =
    std::to_array<std::string_view>({"kind", "workers", "size", "timeout", "mode", "fail_policy",
                                     "on_timeout", "rate", "burst", "grace"});
inline constexpr auto kTaskKeys = std::to_array<std::string_view>({"command", "name"});
inline constexpr auto kGroupKeys = std::to_array<std::string_view>(
    {"tasks", "command", "inputs", "inputs_from", "workers", "finally"});
inline constexpr auto kInputsFromKeys =
    std::to_array<std::string_view>({"file", "command", "format"});

// In the order of the enumerators.
inline constexpr auto kKindNames = std::to_array<std::string_view>({"thread", "process", "async"});
inline constexpr auto kModeNames = std::to_array<std::string_view>({"finite", "infinite"});
inline constexpr auto kFailPolicyNames =
    std::to_array<std::string_view>({"continue", "fail_first"});
inline constexpr auto kOnTimeoutNames = std::to_array<std::string_view>({"complete", "cancel"});
inline constexpr auto kInputFormatNames = std::to_array<std::string_view>({"lines", "nul", "json"});
inline constexpr auto kLeakNames = std::to_array<std::string_view>({"kill", "fail", "keep"});

}  // namespace osiiso::job
