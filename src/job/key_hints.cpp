// SPDX-License-Identifier: MIT
#include "job/key_hints.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "job/diagnostics.hpp"
#include "job/keys.hpp"
#include "job/option_fields.hpp"

namespace osiiso::job {
namespace {

struct Synonym {
  std::string_view theirs;
  std::string_view ours;
};

constexpr auto kSynonyms = std::to_array<Synonym>({
    {"cmd", "command"},
    {"cmdline", "command"},
    {"exec", "command"},
    {"run", "command"},
    {"script", "command"},
    {"depends_on", "needs"},
    {"environment", "env"},
    {"jobs", "workers"},
    {"parallel", "workers"},
    {"retry", "retries"},
    {"workdir", "cwd"},
});

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// Where a key that is unknown here is known.
std::vector<std::string_view> places_of(std::string_view key) {
  std::vector<std::string_view> places;
  if (contains(kQueueKeys, key)) places.emplace_back("queue");
  if (contains(option_names(), key)) places.emplace_back("defaults");
  return places;
}

}  // namespace

std::optional<std::string_view> meant_key(std::string_view key,
                                          std::span<const std::string_view> known) {
  const auto synonym = std::ranges::find(kSynonyms, key, &Synonym::theirs);
  if (synonym != kSynonyms.end() && contains(known, synonym->ours)) return synonym->ours;
  return base::nearest(key, known);
}

bool is_text_as_key(std::string_view key) {
  return key.find(' ') != std::string_view::npos;
}

std::string key_hint(std::string_view key, std::span<const std::string_view> known) {
  if (const auto places = places_of(key); !places.empty()) {
    return base::format("{} belongs under {}", shown(key), listed(places, "or"));
  }
  if (const auto meant = meant_key(key, known)) {
    return base::format("did you mean {}?", shown(*meant));
  }
  return is_text_as_key(key) ? "a text with ': ' must be in quotes" : "";
}

}  // namespace osiiso::job
