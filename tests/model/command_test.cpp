// SPDX-License-Identifier: MIT
#include "osiiso/command.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace osiiso {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("an argv keeps its words as they are") {
  const Words words = {"printf", "", "two words", "a\nb", ""};
  const Command command = Command::argv(words);
  CHECK_FALSE(command.is_shell());
  CHECK(command.words() == words);
}

TEST_CASE("a shell command is one text") {
  const Command command = Command::shell("  echo $HOME |\n cat ");
  CHECK(command.is_shell());
  CHECK(command.words() == Words{"  echo $HOME |\n cat "});
  CHECK(command.text() == "  echo $HOME |\n cat ");
}

TEST_CASE("a command that cannot be one is refused") {
  CHECK_THROWS_WITH_AS(Command::argv({}), "a command must not be empty", OptionError);
  CHECK_THROWS_WITH_AS(Command::shell(""), "a command must not be empty", OptionError);
  CHECK_THROWS_WITH_AS(Command::shell(" \n\t"), "a command must not be empty", OptionError);
  const std::string nul(1, '\0');
  CHECK_THROWS_WITH_AS(Command::argv({"a", nul}), "a command must not hold a NUL byte",
                       OptionError);
  CHECK_THROWS_WITH_AS(Command::shell("a" + nul), "a command must not hold a NUL byte",
                       OptionError);
}

TEST_CASE("the text of an argv could be given to a shell") {
  CHECK(Command::argv({"echo", "a b", "it's", "", "k=v"}).text() == "echo 'a b' 'it'\\''s' '' k=v");
  CHECK(Command::argv({"k=v", "k=v"}).text() == "'k=v' k=v");  // in front it would be an assignment
  CHECK(Command::argv({"if", "if"}).text() == "'if' if");
  CHECK(Command::argv({"", "if"}).text() == "'' if");
}

TEST_CASE("a text of its own is shown instead of the words") {
  Command command = Command::shell("convert \"${OSIISO_1}\"");
  command.with_text("convert a.jpg");
  CHECK(command.text() == "convert a.jpg");
  CHECK(command.words() == Words{"convert \"${OSIISO_1}\""});
}

TEST_CASE("variables add up, each ended by a NUL") {
  Command command = Command::shell("true");
  CHECK(command.variables().empty());
  command.with_variable("A", "1").with_variable("B", "x=y").with_variable("C", "");
  CHECK(command.variables() == std::string("A=1\0B=x=y\0C=\0", 13));
}

TEST_CASE("words, variables and text keep apart, in whatever order they come") {
  for (const bool is_shell : {false, true}) {
    CAPTURE(is_shell);
    const Words words = is_shell ? Words{"echo $A $B"} : Words{"echo", "", "a b"};
    Command command = is_shell ? Command::shell(words.front()) : Command::argv(words);
    command.with_variable("A", "1").with_text("shown").with_variable("B", "").with_text("anew");
    CHECK(command.words() == words);
    CHECK(command.variables() == std::string("A=1\0B=\0", 7));
    CHECK(command.text() == "anew");
    command.with_text("");
    CHECK(command.text() == (is_shell ? "echo $A $B" : "echo '' 'a b'"));
    CHECK(command.variables() == std::string("A=1\0B=\0", 7));
  }
}

TEST_CASE("a copy with other settings leaves the first one as it is") {
  const Command first = Command::shell("true");
  Command second = first;
  second.with_settings(std::make_shared<const CommandSettings>(CommandSettings{.cwd = "/tmp"}))
      .with_variable("A", "1");
  CHECK(second.settings().cwd == "/tmp");
  CHECK(second.words() == Words{"true"});
  CHECK(first.settings().cwd.empty());
  CHECK(first.variables().empty());
}

TEST_CASE("what is left of a command that was moved away can be copied and assigned to") {
  for (Command moved : {Command::shell("true"), Command::argv({"echo", "a"})}) {
    moved.with_variable("A", "1");
    const Command taken = std::move(moved);
    CHECK(taken.variables() == std::string("A=1\0", 4));
    moved.with_settings(std::make_shared<CommandSettings>());  // NOLINT(bugprone-use-after-move)
    CHECK_FALSE(moved.is_shell());
    Command copy = moved;
    copy = Command::shell("false");
    CHECK(copy.words() == Words{"false"});
  }
}

TEST_CASE("a variable that no environment can hold is refused") {
  Command command = Command::shell("true");
  CHECK_THROWS_AS(command.with_variable("", "1"), OptionError);
  CHECK_THROWS_AS(command.with_variable("A=B", "1"), OptionError);
  CHECK_THROWS_AS(command.with_variable(std::string_view("A\0", 2), "1"), OptionError);
  CHECK_THROWS_AS(command.with_variable("A", std::string_view("\0", 1)), OptionError);
  CHECK(command.variables().empty());
}

TEST_CASE("a command without settings has the defaults, and settings are shared") {
  const Command plain = Command::shell("true");
  CHECK(plain.settings().shell == Words{"/bin/sh", "-c"});
  CHECK(plain.settings().ok_codes == std::vector{0});
  CHECK(plain.settings().leak == Leak::kill);

  const auto settings = std::make_shared<const CommandSettings>(CommandSettings{.cwd = "/tmp"});
  const Command first = Command::shell("true", settings);
  const Command copy = first;
  CHECK(&copy.settings() == settings.get());
}

}  // namespace
}  // namespace osiiso
