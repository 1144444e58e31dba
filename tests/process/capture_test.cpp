// SPDX-License-Identifier: MIT
#include "process/capture.hpp"

#include <string>

#include <doctest/doctest.h>

using osiiso::process::Capture;

namespace {

constexpr std::size_t kKept = Capture::kKept;

// `count` bytes that tell where they are.
std::string numbered(std::size_t count) {
  std::string text;
  while (text.size() < count) text += std::to_string(text.size()) + ' ';
  text.resize(count);
  return text;
}

std::string expected(const std::string& all) {
  if (all.size() <= 2 * kKept) return all;
  return all.substr(0, kKept) + "\n[... " + std::to_string(all.size() - 2 * kKept) +
         " bytes left out ...]\n" + all.substr(all.size() - kKept);
}

}  // namespace

TEST_CASE("an empty capture is an empty text") {
  Capture capture;
  CHECK(capture.total() == 0);
  CHECK_FALSE(capture.truncated());
  CHECK(capture.take_text().empty());
}

TEST_CASE("a stream keeps its first and last 32 KiB in whatever pieces it comes") {
  for (const std::size_t size : {std::size_t{1}, kKept - 1, kKept, kKept + 1, 2 * kKept - 1,
                                 2 * kKept, 2 * kKept + 1, 3 * kKept, 5 * kKept + 17}) {
    const std::string all = numbered(size);
    for (const std::size_t piece : {std::size_t{7}, std::size_t{1000}, kKept - 1, kKept, kKept + 1,
                                    2 * kKept, 2 * kKept + 1, 6 * kKept}) {
      CAPTURE(size);
      CAPTURE(piece);
      Capture capture;
      for (std::size_t at = 0; at < size; at += piece) {
        capture.append(std::string_view(all).substr(at, piece));
      }
      CHECK(capture.total() == size);
      CHECK(capture.truncated() == (size > 2 * kKept));
      const bool is_right = capture.take_text() == expected(all);
      CHECK(is_right);
    }
  }
}

TEST_CASE("a character of several bytes is left out whole") {
  // Two bytes each, an odd byte in front: both cuts fall into a character.
  std::string all = "a";
  for (std::size_t count = 0; count < 2 * kKept; ++count) all += "é";
  Capture capture;
  capture.append(all);
  const std::string text = capture.take_text();
  CHECK(text.substr(kKept - 3, 5) == "é\n[.");
  CHECK(text.find("]\n\xc3\xa9") != std::string::npos);
  const std::size_t left_out = all.size() - (kKept - 1) - kKept;
  CHECK(text.find("[... " + std::to_string(left_out) + " bytes") != std::string::npos);
}

TEST_CASE("bytes that are no characters are kept to the last") {
  const std::string all(3 * kKept, '\x80');
  Capture capture;
  capture.append(all);
  const bool is_right = capture.take_text() == expected(all);
  CHECK(is_right);
}
