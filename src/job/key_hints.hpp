// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace osiiso::job {

/// The known key that was likely meant: what other tools call it, or one of a near name.
std::optional<std::string_view> meant_key(std::string_view key,
                                          std::span<const std::string_view> known);

/// Whether it is no key but a text that holds `: `.
bool is_text_as_key(std::string_view key);

/// What to do about a key that is unknown where it stands, or empty.
std::string key_hint(std::string_view key, std::span<const std::string_view> known);

}  // namespace osiiso::job
