// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace osiiso::base {
namespace {

const std::string kReplacement = "\xEF\xBF\xBD";

std::string encode(char32_t c) {
  std::string out;
  const auto push = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xC0 | c >> 6);
    push(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    push(0xE0 | c >> 12);
    push(0x80 | (c >> 6 & 0x3F));
    push(0x80 | (c & 0x3F));
  } else {
    push(0xF0 | c >> 18);
    push(0x80 | (c >> 12 & 0x3F));
    push(0x80 | (c >> 6 & 0x3F));
    push(0x80 | (c & 0x3F));
  }
  return out;
}

TEST_CASE("every code point but the surrogates is valid UTF-8") {
  for (char32_t c = 0; c < 0x110000; ++c) {
    const bool is_surrogate = c >= 0xD800 && c < 0xE000;
    if (find_invalid_utf8(encode(c)).has_value() != is_surrogate) {
      FAIL("wrong for code point " << static_cast<unsigned>(c));
    }
  }
  CHECK(find_invalid_utf8(encode(0x110000)) == 0);
}

TEST_CASE("the first invalid byte is found wherever it is") {
  CHECK_FALSE(find_invalid_utf8(""));
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    text[at] = '\xFF';
    CHECK(find_invalid_utf8(text) == at);
  }
  CHECK(find_invalid_utf8("abcdefghi\xC3") == 9);
  CHECK(find_invalid_utf8("\xC0\xAF") == 0);      // overlong
  CHECK(find_invalid_utf8("\xE0\x9F\xBF") == 0);  // overlong
  CHECK(find_invalid_utf8("\xF0\x8F\xBF\xBF") == 0);
  CHECK(find_invalid_utf8("a\x80") == 1);
}

TEST_CASE("a maximal ill-formed part becomes one replacement character") {
  CHECK(replace_invalid_utf8("héllo") == "héllo");
  CHECK(replace_invalid_utf8("a\xFFz") == "a" + kReplacement + "z");
  CHECK(replace_invalid_utf8("\xF0\x9F\x98") == kReplacement);  // a cut-off emoji
  CHECK(replace_invalid_utf8("\xF0\x9Fz") == kReplacement + "z");
  // The example of the Unicode standard, table 3-8: each byte of these stands alone.
  CHECK(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF") ==
        kReplacement + kReplacement + kReplacement + kReplacement + kReplacement);
  CHECK(replace_invalid_utf8("\xED\xA0\x80") == kReplacement + kReplacement + kReplacement);
  CHECK_FALSE(find_invalid_utf8(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41")));
}

TEST_CASE("control characters are shown, not obeyed") {
  CHECK(escape_controls("plain äöü €") == "plain äöü €");
  CHECK(escape_controls("a\nb\rc\td") == "a\\nb\\rc d");
  CHECK(escape_controls("\x1b[31m\x07\x7f") == "\\x1b[31m\\x07\\x7f");
  CHECK(escape_controls(std::string(1, '\0')) == "\\x00");
  CHECK(escape_controls("\xC2\x9B") == "\\u009b");  // CSI as one character
  CHECK(escape_controls("\xE2\x80\xAE"
                        "txt") == "\\u202etxt");  // right-to-left override
  CHECK(escape_controls("\xE2\x81\xA6\xD8\x9C") == "\\u2066\\u061c");
  CHECK(escape_controls("\xFF") == kReplacement);
}

TEST_CASE("of what a terminal obeys, lines, tabs and colours can be kept") {
  CHECK(escape_all_but_colours("a\n\tb\r\n") == "a\n\tb\r\n");
  CHECK(escape_all_but_colours("\x1b[1;38:5:9mred\x1b[m\n") == "\x1b[1;38:5:9mred\x1b[m\n\x1b[0m");
  CHECK(escape_all_but_colours("\x1b[2J\x1b]0;t\x07\x08") == "\\x1b[2J\\x1b]0;t\\x07\\x08");
  CHECK(escape_all_but_colours("\x1b[>4;1m\x1b[?25m") == "\\x1b[>4;1m\\x1b[?25m");
  CHECK(escape_all_but_colours("\x1b[31") == "\\x1b[31");
  CHECK(escape_all_but_colours("\x1b[") == "\\x1b[");
  CHECK(escape_all_but_colours("\xC2\x9B"
                               "31m\xFF") == "\\u009b31m" + std::string(kReplacement));
}

TEST_CASE("no text can drive the terminal after escaping") {
  for (char32_t c = 0; c < 0x3000; ++c) {
    for (const char shown : escape_controls(encode(c))) {
      const auto byte = static_cast<unsigned char>(shown);
      if (byte < 0x20 || byte == 0x7F) FAIL("lets through " << static_cast<unsigned>(c));
    }
  }
}

TEST_CASE("wide characters take two columns, combining ones none") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("äöü") == 3);
  CHECK(display_width("日本語") == 6);
  CHECK(display_width("한국") == 4);
  CHECK(display_width("e\xCC\x81") == 1);  // e and a combining acute
  CHECK(display_width("😀") == 2);
  CHECK(display_width("a\xE2\x80\x8B"
                      "b") == 2);  // zero width space
  CHECK(display_width("…") == 1);
  CHECK(display_width("") == 0);
}

TEST_CASE("a text that does not fit is cut with an ellipsis within the columns") {
  CHECK(cut_to_width("hello", 5) == "hello");
  CHECK(cut_to_width("hello!", 5) == "hell…");
  CHECK(cut_to_width("日本語", 6) == "日本語");
  CHECK(cut_to_width("日本語", 5) == "日本…");
  CHECK(cut_to_width("日本語", 4) == "日…");
  CHECK(cut_to_width("ab", 1) == "…");
  CHECK(cut_to_width("ab", 0).empty());
  CHECK(cut_to_width("", 0).empty());
  // A mark stays with its letter.
  CHECK(cut_to_width("ae\xCC\x81"
                     "bcd",
                     3) == "ae\xCC\x81…");
}

TEST_CASE("a cut text is never wider than asked for") {
  const std::string text = "a日b本e\xCC\x81😀cdef";
  for (std::size_t columns = 0; columns < 20; ++columns) {
    const std::string cut = cut_to_width(text, columns);
    CHECK(display_width(cut) <= columns);
    CHECK_FALSE(find_invalid_utf8(cut));
  }
}

TEST_CASE("the last line is the last one with something in it") {
  CHECK(last_line("").empty());
  CHECK(last_line("\n \n\t\r\n").empty());
  CHECK(last_line("one") == "one");
  CHECK(last_line("one\ntwo\n") == "two");
  CHECK(last_line("one\r\ntwo\r\n\r\n") == "two");
  CHECK(last_line("10%\r50%\r100%") == "100%");
  CHECK(last_line("one\n  two  \n   \n") == "  two  ");
}

TEST_CASE("a mistyped word finds what was meant") {
  constexpr auto kOptions = std::to_array<std::string_view>(
      {"retries", "retry_delay", "retry_on", "timeout", "name", "env", "cwd"});
  CHECK(nearest("retrise", kOptions) == "retries");  // swapped letters
  CHECK(nearest("tiemout", kOptions) == "timeout");
  CHECK(nearest("time_out", kOptions) == "timeout");
  CHECK(nearest("retry-delay", kOptions) == "retry_delay");
  CHECK(nearest("TIMEOUT", kOptions) == "timeout");
  CHECK(nearest("nam", kOptions) == "name");
  CHECK(nearest("evn", kOptions) == "env");
  CHECK_FALSE(nearest("priority", kOptions));
  CHECK_FALSE(nearest("xyz", kOptions));
  CHECK_FALSE(nearest("", kOptions));
  CHECK_FALSE(nearest(std::string(1'000'000, 'x'), kOptions));
  CHECK_FALSE(nearest("name", {}));
}

TEST_CASE("of equally near words the first is meant") {
  constexpr auto kWords = std::to_array<std::string_view>({"bat", "cat", "Hat", "hat"});
  CHECK(nearest("mat", kWords) == "bat");
  CHECK(nearest("HAT", kWords) == "Hat");
  CHECK_FALSE(nearest("x", std::to_array<std::string_view>({"s"})));
}

TEST_CASE("only words that a shell would read differently are quoted") {
  CHECK(shell_quote("plain-word_1.txt") == "plain-word_1.txt");
  CHECK(shell_quote("--opt=/a,b:c@d%e+f") == "--opt=/a,b:c@d%e+f");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("two words") == "'two words'");
  CHECK(shell_quote("it's") == "'it'\\''s'");
  CHECK(shell_quote("~") == "'~'");
  CHECK(shell_quote("#x") == "'#x'");
  CHECK(shell_quote("a\nb") == "'a\nb'");
  for (const char c : std::string("$`\"\\*?[]{}()<>|&;!^~# ")) {
    CAPTURE(c);
    CHECK(shell_quote(std::string("a") + c).front() == '\'');
  }
}

TEST_CASE("signals have their names") {
  CHECK(signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(signal_name(SIGKILL) == "SIGKILL");
  CHECK(signal_name(SIGTERM) == "SIGTERM");
  CHECK(signal_name(SIGRTMIN) == "SIGRTMIN");
  CHECK(signal_name(SIGRTMIN + 3) == "SIGRTMIN+3");
  CHECK(signal_name(200) == "signal 200");
}

}  // namespace
}  // namespace osiiso::base
