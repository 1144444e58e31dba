// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "osiiso/duration.hpp"

// What JSON has no values for. A span of time is its count of nanoseconds, none is null.
namespace osiiso::model {

inline nlohmann::json of(Duration span) {
  return span.count();
}

inline Duration to_duration(const nlohmann::json& value) {
  return Duration(value.get<Duration::rep>());
}

template <typename T>
nlohmann::json of(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

template <typename T>
std::optional<T> to_optional(const nlohmann::json& value) {
  return value.is_null() ? std::optional<T>() : std::optional<T>(value.get<T>());
}

}  // namespace osiiso::model
