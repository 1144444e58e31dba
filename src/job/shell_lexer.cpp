// SPDX-License-Identifier: MIT
//
// Reads shell text as far as quoting goes. It need not find mistakes, the shell does that; and a
// mistake of its own is harmless: whatever it says of a place, only the text of a variable's
// expansion is put there, never a value, and what a shell expands it does not read as syntax
// again. The worst that a wrong answer can do is a literal `${…}` or a value that is split. What a
// shell evaluates once more, though, is as with `eval`: refused where it is seen (`$((…))`), the
// user's own risk elsewhere (`[[ x -eq {} ]]`, `a[{}]`).
#include "job/shell_lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/characters.hpp"
#include "job/shell_commands.hpp"

namespace osiiso::job {
namespace {

constexpr std::string_view kUncertain = "where shells differ in how they read the text";
constexpr std::string_view kAfterBackslash = "behind a backslash";
constexpr std::string_view kInArithmetic = "inside an arithmetic expression";
// Deeper nesting is not read any more, so that no text can use up the stack.
constexpr int kDeepest = 100;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

class Lexer {
 public:
  Lexer(std::string_view text, ShellDialect dialect, const PlaceholderMatcher& match)
      : text_(text), end_(text.size()), dialect_(dialect), match_(match) {}

  std::vector<ShellPlace> run() {
    commands(false);
    return std::move(places_);
  }

 private:
  // In each of these `at_` is on what opens the construct, and behind what closes it afterwards.
  void commands(bool is_nested);
  void here_documents(CommandList& list);
  void here_document(const HereDocument& document);
  void here_document_text();
  void expanding_text(ShellContext context);
  void single_quotes(ShellContext context);
  void dollar_quotes();
  void double_quotes();
  void backticks();
  void braces(bool in_double_quotes);
  void arithmetic(std::size_t opening);
  void dollar(bool in_double_quotes);

  void operator_in(CommandList& list);
  void redirection(CommandList& list);
  void here_document_word(CommandList& list, bool strips_tabs);
  void comment() { at_ = std::min(text_.find('\n', at_), end_); }
  bool placeholder(ShellContext context);
  void backslash_in_text();

  char peek(std::size_t ahead = 0) const { return at_ + ahead < end_ ? text_[at_ + ahead] : '\0'; }
  bool more() const { return at_ < end_; }
  void skip(std::size_t count) { at_ = std::min(at_ + count, end_); }
  void doubt() { is_certain_ = false; }

  // Holds while a construct is read in which no value can stand.
  class Refusing {
   public:
    Refusing(Lexer& lexer, std::string_view reason)
        : lexer_(lexer), outer_(std::exchange(lexer.reason_, reason)) {}
    ~Refusing() { lexer_.reason_ = outer_; }
    Refusing(const Refusing&) = delete;
    Refusing& operator=(const Refusing&) = delete;

   private:
    Lexer& lexer_;
    std::string_view outer_;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t end_;
  ShellDialect dialect_;
  const PlaceholderMatcher& match_;
  std::vector<ShellPlace> places_;
  std::string_view reason_;  // why no value can stand here, or empty
  bool is_certain_ = true;   // false from the first place on that shells read differently
  std::size_t pending_ = 0;  // here-documents of all open lists whose texts are still to come
  int depth_ = 0;
};

// If a placeholder is here, notes it and goes behind it.
bool Lexer::placeholder(ShellContext context) {
  if (peek() != '{') return false;
  const std::size_t length = match_(at_);
  if (length == 0 || at_ + length > end_) return false;
  ShellPlace place{at_, length, context, {}};
  if (!reason_.empty() || !is_certain_ || context == ShellContext::refused) {
    place.context = ShellContext::refused;
    place.reason = reason_.empty() ? kUncertain : reason_;
  }
  places_.push_back(place);
  at_ += length;
  return true;
}

void Lexer::commands(bool is_nested) {
  if (++depth_ > kDeepest) {
    doubt();
    at_ = end_;
  }
  CommandList list;
  while (more()) {
    const char c = peek();
    if (c == ')' && is_nested) {
      list.end_word();  // which may be the `esac` that ends the last pattern
      if (!list.in_pattern()) break;
    }
    switch (c) {
      case '\\':
        if (peek(1) != '\n') list.add_other();  // else the next line continues this one
        skip(2);
        break;
      case '\'':
        list.add_other();
        single_quotes(ShellContext::single_quotes);
        break;
      case '"':
        list.add_other();
        double_quotes();
        break;
      case '`':
        list.add_other();
        backticks();
        break;
      case '$':
        list.add_other();
        dollar(false);
        break;
      case '#':
        if (list.in_word()) {
          list.add_plain(c);
          skip(1);
        } else {
          comment();
        }
        break;
      case '{':
        if (placeholder(ShellContext::bare)) {
          list.add_other();
        } else {
          list.add_plain(c);
          skip(1);
        }
        break;
      case '\n':
        list.end_word();
        list.separate();
        skip(1);
        here_documents(list);
        break;
      case ' ':
      case '\t':
      case ';':
      case '&':
      case '|':
      case '(':
      case ')':
      case '<':
      case '>':
        operator_in(list);
        break;
      default:
        list.add_plain(c);
        skip(1);
        break;
    }
  }
  // `$(cat <<E)`: shells do not agree where that text would be.
  if (!list.pending.empty()) {
    pending_ -= list.pending.size();
    if (is_nested) doubt();
  }
  if (is_nested && !more()) doubt();
  if (is_nested) skip(1);
  --depth_;
}

void Lexer::operator_in(CommandList& list) {
  const char c = peek();
  switch (c) {
    case '<':
    case '>':
      redirection(list);
      break;
    case '(': {
      const bool opens_pattern = list.in_pattern() && !list.in_word();
      if (opens_pattern) {
        skip(1);
      } else if (list.at_command() && peek(1) == '(') {
        list.add_other();
        arithmetic(2);
      } else {
        // Of a function's or an array's word, too: nothing that matters here is different.
        list.add_other();
        list.end_word();
        skip(1);
        commands(true);
        list.separate();
      }
      break;
    }
    case ')':
      list.end_word();
      if (list.in_pattern()) list.end_pattern();
      skip(1);
      break;
    case ';':
      list.end_word();
      skip(1);
      if (peek() == ';' || peek() == '&') {
        skip(1);
        list.end_case_item();
      }
      list.separate();
      break;
    case '&':
    case '|':
      list.end_word();
      if (!list.in_pattern()) list.separate();
      skip(1);
      break;
    default:
      list.end_word();
      skip(1);
      break;
  }
}

void Lexer::redirection(CommandList& list) {
  const char c = peek();
  if (peek(1) == '(') {  // a process substitution is a word
    list.add_other();
    skip(2);
    commands(true);
    return;
  }
  list.end_word();
  list.begin_redirection();
  if (c == '<' && peek(1) == '<') {
    if (peek(2) == '<') {
      skip(3);
    } else {
      const bool strips_tabs = peek(2) == '-';
      skip(strips_tabs ? 3 : 2);
      here_document_word(list, strips_tabs);
    }
    return;
  }
  skip(1);
  constexpr std::string_view kSecond = "&|<>";
  if (more() && kSecond.find(peek()) != std::string_view::npos) skip(1);
}

void Lexer::here_document_word(CommandList& list, bool strips_tabs) {
  HereDocument document;
  document.strips_tabs = strips_tabs;
  while (more() && is_blank(peek())) skip(1);
  const auto quoted_until = [&](char quote) {
    document.is_quoted = true;
    for (skip(1); more() && peek() != quote; skip(1)) {
      if (quote == '"' && (peek() == '\\' || peek() == '$' || peek() == '`')) doubt();
      document.delimiter += peek();
    }
    skip(1);
  };
  constexpr std::string_view kEnd = " \t\n;&|<>()";
  while (more() && kEnd.find(peek()) == std::string_view::npos) {
    switch (peek()) {
      case '\'':
      case '"':
        quoted_until(peek());
        break;
      case '\\':
        document.is_quoted = true;
        if (peek(1) == '\n') doubt();
        document.delimiter += peek(1);
        skip(2);
        break;
      case '$':
      case '`':
        doubt();
        [[fallthrough]];
      default:
        document.delimiter += peek();
        skip(1);
        break;
    }
  }
  list.add_other();
  list.end_word();
  list.pending.push_back(std::move(document));
  ++pending_;
}

void Lexer::here_documents(CommandList& list) {
  // A line ends inside of `$(…)` while the line around it still waits for its texts.
  if (pending_ > list.pending.size()) doubt();
  pending_ -= list.pending.size();
  for (const HereDocument& document : std::exchange(list.pending, {})) here_document(document);
}

void Lexer::here_document(const HereDocument& document) {
  const std::size_t outer_end = end_;
  std::size_t text_end = end_;
  std::size_t after = end_;
  bool continues = false;  // the line before ended with a backslash
  for (std::size_t line = at_; line < outer_end;) {
    const std::size_t newline = std::min(text_.find('\n', line), outer_end);
    std::string_view content = text_.substr(line, newline - line);
    if (document.strips_tabs) {
      content.remove_prefix(std::min(content.find_first_not_of('\t'), content.size()));
    }
    if (content == document.delimiter) {
      // Where the lines are joined this is no end, but not every shell joins them.
      if (continues) doubt();
      text_end = line;
      after = std::min(newline + 1, outer_end);
      break;
    }
    const std::size_t last = content.find_last_not_of('\\');
    const std::size_t slashes = content.size() - (last == std::string_view::npos ? 0 : last + 1);
    continues = !document.is_quoted && slashes % 2 == 1;
    line = newline + 1;
  }

  end_ = text_end;
  if (document.is_quoted) {
    const Refusing refusing(*this, "in a here-document whose word is quoted");
    while (more()) {
      const bool is_parameter = at_ > 0 && text_[at_ - 1] == '$';
      if (is_parameter || !placeholder(ShellContext::refused)) skip(1);
    }
  } else {
    here_document_text();
  }
  end_ = outer_end;
  at_ = after;
}

void Lexer::here_document_text() {
  while (more()) expanding_text(ShellContext::here_document);
}

// One step in text that the shell expands but does not split.
void Lexer::expanding_text(ShellContext context) {
  switch (peek()) {
    case '\\':
      backslash_in_text();
      break;
    case '`':
      backticks();
      break;
    case '$':
      dollar(true);
      break;
    default:
      if (!placeholder(context)) skip(1);
      break;
  }
}

// A backslash in double quotes and the like: it stays in front of what it does not quote, but
// would quote the `$` that a placeholder becomes.
void Lexer::backslash_in_text() {
  skip(1);
  const Refusing refusing(*this, reason_.empty() ? kAfterBackslash : reason_);
  if (!placeholder(ShellContext::refused)) skip(1);
}

void Lexer::single_quotes(ShellContext context) {
  for (skip(1); more() && peek() != '\'';) {
    const bool is_parameter = text_[at_ - 1] == '$';
    if (is_parameter || !placeholder(context)) skip(1);
  }
  if (!more()) doubt();
  skip(1);
}

void Lexer::dollar_quotes() {
  for (skip(1); more() && peek() != '\'';) {
    const bool is_parameter = text_[at_ - 1] == '$';
    if (peek() == '\\') {
      backslash_in_text();
    } else if (is_parameter || !placeholder(ShellContext::dollar_quotes)) {
      skip(1);
    }
  }
  if (!more()) doubt();
  skip(1);
}

void Lexer::double_quotes() {
  skip(1);
  while (more() && peek() != '"') expanding_text(ShellContext::double_quotes);
  if (!more()) doubt();
  skip(1);
}

// The first backtick that no backslash precedes ends it, whatever quotes are in between.
void Lexer::backticks() {
  const Refusing refusing(*this, "inside backticks");
  skip(1);
  while (more() && peek() != '`') {
    if (peek() == '\\') {
      skip(2);
    } else if (!placeholder(ShellContext::refused)) {
      skip(1);
    }
  }
  if (!more()) doubt();
  skip(1);
}

void Lexer::dollar(bool in_double_quotes) {
  const char next = peek(1);
  switch (next) {
    case '(':
      if (peek(2) == '(') {
        arithmetic(3);
      } else {
        skip(2);
        commands(true);
      }
      return;
    case '{':
      braces(in_double_quotes);
      return;
    case '[':  // arithmetic in some shells, text in others
    case '\\':
      if (next == '[' || peek(2) == '\n') doubt();
      skip(1);
      return;
    case '\'':
      skip(1);
      if (in_double_quotes) return;
      if (dialect_ != ShellDialect::posix) {
        dollar_quotes();
      } else {
        const std::size_t begin = at_;
        const Refusing refusing(*this, "in $'…', which not every sh knows");
        single_quotes(ShellContext::refused);
        // Only then do those that know it find the same end.
        if (text_.substr(begin, at_ - begin).find('\\') != std::string_view::npos) doubt();
      }
      return;
    default:
      break;
  }
  skip(1);
  constexpr std::string_view kSpecial = "$#?!@*-";
  if (!more()) return;
  if (base::is_digit(peek()) || kSpecial.find(peek()) != std::string_view::npos) {
    skip(1);
    return;
  }
  const std::size_t name = at_;
  while (more() && base::is_name_character(peek())) skip(1);
  if (dialect_ == ShellDialect::zsh && at_ > name && peek() == '[') doubt();
}

void Lexer::braces(bool in_double_quotes) {
  if (++depth_ > kDeepest) {
    doubt();
    at_ = end_;
  }
  const Refusing refusing(*this, "inside ${…}");
  skip(2);
  while (more() && peek() != '}') {
    switch (peek()) {
      case '\\':
        skip(2);
        break;
      case '\'':
        // In double quotes this is a quote for some shells and a character for others.
        if (in_double_quotes) {
          doubt();
          skip(1);
        } else {
          single_quotes(ShellContext::refused);
        }
        break;
      case '"':
        double_quotes();
        break;
      case '`':
        backticks();
        break;
      case '$':
        dollar(in_double_quotes);
        break;
      default:
        if (!placeholder(ShellContext::refused)) skip(1);
        break;
    }
  }
  if (!more()) doubt();
  skip(1);
  --depth_;
}

// `$((…))`, or `((…))` where a command is expected. That a value would be evaluated, not only
// expanded, is the reason why none may stand in it.
void Lexer::arithmetic(std::size_t opening) {
  if (++depth_ > kDeepest) {
    doubt();
    at_ = end_;
  }
  const Refusing refusing(*this, kInArithmetic);
  skip(opening);
  std::size_t open = 2;
  while (more() && open > 0) {
    switch (peek()) {
      case '(':
        ++open;
        skip(1);
        break;
      case ')':
        --open;
        skip(1);
        // `$((a) ; b)`: not arithmetic after all, and what was in it was read as if it were.
        if (open == 1 && peek() != ')') doubt();
        break;
      case '\\':
        skip(2);
        break;
      case '\'':
        doubt();
        skip(1);
        break;
      case '"':
        double_quotes();
        break;
      default:
        expanding_text(ShellContext::refused);
        break;
    }
  }
  if (open > 0) doubt();
  --depth_;
}

}  // namespace

std::optional<ShellDialect> dialect_of(const std::vector<std::string>& shell) {
  struct Known {
    std::string_view name;
    ShellDialect dialect;
  };
  constexpr auto kKnown = std::to_array<Known>({{"sh", ShellDialect::posix},
                                                {"dash", ShellDialect::posix},
                                                {"bash", ShellDialect::extended},
                                                {"ksh", ShellDialect::extended},
                                                {"zsh", ShellDialect::zsh}});
  if (shell.empty()) return std::nullopt;
  std::string_view name = shell.front();
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const auto found = std::ranges::find(kKnown, name, &Known::name);
  if (found == kKnown.end()) return std::nullopt;
  return found->dialect;
}

std::vector<ShellPlace> find_in_shell(std::string_view text, ShellDialect dialect,
                                      const PlaceholderMatcher& match) {
  return Lexer(text, dialect, match).run();
}

}  // namespace osiiso::job
