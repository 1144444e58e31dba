// SPDX-License-Identifier: MIT
#include "job/shell_lexer.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace osiiso::job;

namespace {

// One letter for the context of each `{}`: b(are), d(ouble), s(ingle), $(…quotes), h(ere), or x.
std::string contexts(std::string_view text, ShellDialect dialect = ShellDialect::extended) {
  const auto match = [&](std::size_t at) -> std::size_t {
    return text.substr(at).starts_with("{}") ? 2 : 0;
  };
  std::string letters;
  for (const ShellPlace& place : find_in_shell(text, dialect, match)) {
    CHECK(text.substr(place.offset, place.length) == "{}");
    CHECK((place.context == ShellContext::refused) == !place.reason.empty());
    letters += std::string_view("bds$hx")[static_cast<std::size_t>(place.context)];
  }
  return letters;
}

std::string posix(std::string_view text) {
  return contexts(text, ShellDialect::posix);
}

}  // namespace

TEST_CASE("quotes") {
  CHECK(contexts("{} \"{}\" '{}' {}") == "bdsb");
  CHECK(contexts("\"'{}'\" '\"{}\"'") == "ds");
  CHECK(contexts("\"\\\"{}\" \\\"{} \\'{}") == "dbb");
  CHECK(contexts("'\\'{}") == "b");
  CHECK(contexts("a'b'{}\"c\"{}d") == "bb");
  CHECK(contexts("\"\\\\{}\"") == "d");
}

TEST_CASE("a backslash in front") {
  CHECK(contexts("\\{} {}") == "b");
  CHECK(contexts("\\\\{}") == "b");
  CHECK(contexts("\"\\{}\" {}") == "xb");
  CHECK(contexts("'\\{}'") == "s");
  CHECK(contexts("a\\\n{}") == "b");
  CHECK(contexts("cat <<E\n\\{} {}\nE") == "xh");
}

TEST_CASE("a dollar in front") {
  CHECK(contexts("${} {}") == "b");
  CHECK(contexts("\"${}\" {}") == "b");
  CHECK(contexts("$${} \"$${}\" $?{} $x{} \\${}") == "bdbbb");
  CHECK(contexts("'${} {}'") == "s");
  CHECK(contexts("$\\\n{}") == "x");
}

TEST_CASE("dollar quotes") {
  CHECK(contexts("$'a\\'{}' {}") == "$b");
  CHECK(contexts("$\"a{}\"") == "d");
  CHECK(contexts("\"$'{}'\"") == "d");
  CHECK(contexts("$'\\{}'") == "x");
  CHECK(posix("$'{}' {}") == "xb");
  CHECK(posix("$'\\' {}") == "x");
  CHECK(posix("$\"{}\"") == "d");
}

TEST_CASE("command substitution has quotes of its own") {
  CHECK(contexts("\"$(a {} \"{}\" '{}')\" \"{}\"") == "bdsd");
  CHECK(contexts("$(a $(b {}) {}) {}") == "bbb");
  CHECK(contexts("$(a ')' {}) \"{}\"") == "bd");
  CHECK(contexts("$(a # it's )\n) {}") == "b");
  CHECK(contexts("<(a {}) >(b \"{}\")") == "bd");
}

TEST_CASE("parentheses and the patterns of case") {
  CHECK(contexts("\"$(case x in a) {};; (b|c) {};; *) {} esac)\" \"{}\"") == "bbbd");
  CHECK(contexts("\"$(case $(echo x) in\n a)\n {}\n ;;\n esac)\" {}") == "bb");
  CHECK(contexts("\"$(if x; then case y in y) {};; esac; fi)\" {}") == "bb");
  CHECK(contexts("\"$(case x in a) case y in b) ;; esac ;; esac)\" {}") == "b");
  CHECK(contexts("\"$(echo case x in a)\" {}") == "b");
  CHECK(contexts("\"$(f() { case x in x) {};; esac; }; f)\" {}") == "bb");
  CHECK(contexts("\"$( (a {}) ; (b) )\" \"{}\"") == "bd");
  CHECK(contexts("f() { {}; }; a=(x {}) {}") == "bbb");
}

TEST_CASE("comments") {
  CHECK(contexts("a # don't {}\n{}") == "b");
  CHECK(contexts("a#b'{}'") == "s");
  CHECK(contexts("a;# '\n{}") == "b");
  CHECK(contexts("echo $# {} ${#x} {} # {}") == "bb");
  CHECK(contexts("\"# {}\" '# {}'") == "ds");
  CHECK(contexts("a \\\n# '\n {}") == "b");
}

TEST_CASE("here-documents") {
  CHECK(contexts("cat <<E\n'{}' \"{}\" $(a {} \"{}\") # {}\nE\n{}") == "hhbdhb");
  CHECK(contexts("cat <<-E\n\t{}\n\tE\n\"{}\"") == "hd");
  CHECK(contexts("cat <<E; echo {}\n{}\nE") == "bh");
  CHECK(contexts("cat <<A <<'B'\n{}\nA\n{}\nB\n{}") == "hxb");
  CHECK(contexts("cat <<'E'\n${} ' {}\nE\n'{}'") == "xs");
  CHECK(contexts("cat <<\\E\n{}\nE\n") == "x");
  CHECK(contexts("cat <<\"E\"\n{}\nE\n") == "x");
  CHECK(contexts("cat << E\n EE\nE \nE\n{}") == "b");
  CHECK(contexts("cat <<<{} '{}'\n'{}'") == "bss");
  CHECK(contexts("x=$(cat <<E\n{} )\nE\n) {}") == "hb");
  CHECK(contexts("cat <<E\n{}") == "h");
  CHECK(contexts("cat <<E # it's\n{}\nE\n{}") == "hb");
  CHECK(contexts("a 2>&1 <&3 >|x <>y {}") == "b");
}

TEST_CASE("where shells differ, everything after is refused") {
  CHECK(contexts("$(cat <<E) {}\n{}\nE\n") == "xx");
  CHECK(contexts("cat <<E $(a\nb) {}\nE\n") == "x");
  CHECK(contexts("cat <<$x\n{}\n$x\n") == "x");
  CHECK(contexts("cat <<E\na\\\nE\n{}") == "x");
  CHECK(contexts("\"${x:-'}\" {}") == "x");
  CHECK(contexts("$[1] {}") == "x");
  CHECK(contexts("$((a) | b) {}") == "x");
  CHECK(contexts("((a); b) {}") == "x");
  CHECK(contexts("$x[1] {}", ShellDialect::zsh) == "x");
  CHECK(contexts("$x[1] {}") == "b");
}

TEST_CASE("where no value can stand") {
  CHECK(contexts("`a {}` {}") == "xb");
  CHECK(contexts("\"`a '{}'`\" '{}'") == "xs");
  CHECK(contexts("`a \\` {}` {}") == "xb");
  CHECK(contexts("$(({} + 1)) {}") == "xb");
  CHECK(contexts("$(( ({}) + $(a {}) )) {}") == "xxb");
  CHECK(contexts("((x = {})) && a {}") == "xb");
  CHECK(contexts("${x:-{}} {}") == "xb");
  CHECK(contexts("\"${x:-\"{}\"}\" '{}'") == "xs");
}

TEST_CASE("no text uses up the stack") {
  for (const char* piece : {"$(", "(", "${", "$((", "\"$(", "`", "<(", "$(case x in "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += piece;
    CHECK(contexts(text + "{}").size() <= 1);
  }
}
