// SPDX-License-Identifier: MIT
#include "job/yaml_parser.hpp"

#include <algorithm>
#include <array>
#include <istream>
#include <optional>
#include <streambuf>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/format.hpp"

namespace osiiso::job {
namespace {

using Kind = Event::Kind;

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

// Reads a text where it lies.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // The buffer is only read from; the interface knows no constant one.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

class EventReader : public YAML::EventHandler {
 public:
  EventReader(std::uint32_t file, Diagnostics& diagnostics, EventSink& sink)
      : file_(file),
        diagnostics_(diagnostics),
        text_(body_of(diagnostics.sources()[file])),
        merger_(sink, diagnostics, file),
        expander_(merger_) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Refusal{offset(mark), "a job file is one document, and this begins another"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint32_t at = offset(mark);
    const std::string_view written = written_null(at);
    take({.kind = Kind::null,
          .is_plain = true,
          .at = written.empty() ? place_of_nothing(at) : at,
          .anchor = 0,
          .text = std::string(written)},
         anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    take({.kind = Kind::alias,
          .is_plain = false,
          .at = offset(mark),
          .anchor = static_cast<std::uint32_t>(anchor),
          .text = {}},
         YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::uint32_t at = offset(mark);
    last_scalar_ = at;
    take(
        {.kind = Kind::scalar, .is_plain = is_plain(tag, at), .at = at, .anchor = 0, .text = value},
        anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Kind::list_begin, "seq", mark, tag, anchor);
  }
  void OnSequenceEnd() override { take({.kind = Kind::list_end, .text = {}}, YAML::NullAnchor); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Kind::map_begin, "map", mark, tag, anchor);
  }
  void OnMapEnd() override { take({.kind = Kind::map_end, .text = {}}, YAML::NullAnchor); }

  // The place of the node that was read last.
  std::uint32_t last() const { return last_; }

  // The parser takes the end of the file for the end of a quoted text. Only the last one can be
  // meant; this gives its place if it is not closed.
  std::optional<std::uint32_t> find_open_quote() const {
    const std::size_t begin = behind_properties(last_scalar_);
    if (begin >= text_.size() || (text_[begin] != '"' && text_[begin] != '\'')) return std::nullopt;
    const char quote = text_[begin];
    for (std::size_t at = begin + 1; at < text_.size(); ++at) {
      if (text_[at] == '\\' && quote == '"') {
        ++at;
      } else if (text_[at] == quote) {
        const bool is_doubled = quote == '\'' && text_.substr(at + 1).starts_with(quote);
        if (!is_doubled) return std::nullopt;
        ++at;
      }
    }
    return static_cast<std::uint32_t>(begin);
  }

 private:
  void begin(Kind kind, std::string_view type, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    const std::uint32_t at = offset(mark);
    if (!tag.empty() && tag != "?" && tag != std::string(kCoreTag).append(type)) {
      refuse_tag(tag, at);
    }
    take({.kind = kind, .is_plain = false, .at = at, .anchor = 0, .text = {}}, anchor);
  }

  void take(Event&& event, YAML::anchor_t anchor) {
    last_ = std::max(last_, event.at);
    if (ends_node(event.kind)) event.at = last_;
    expander_.on(std::move(event), static_cast<std::uint32_t>(anchor));
  }

  static std::uint32_t offset(const YAML::Mark& mark) {
    return static_cast<std::uint32_t>(std::max(mark.pos, 0));
  }

  bool is_plain(std::string_view tag, std::uint32_t at) {
    if (tag == "?") return true;
    if (tag.empty() || (tag == "!" && !has_tag(at))) return false;  // as quotes have it
    if (tag.starts_with(kCoreTag)) {
      constexpr auto kTyped = std::to_array<std::string_view>({"int", "float", "bool", "null"});
      const std::string_view type = tag.substr(kCoreTag.size());
      if (type == "str") return false;
      if (std::ranges::find(kTyped, type) != kTyped.end()) return true;
    }
    refuse_tag(tag, at);
    return false;
  }

  void refuse_tag(std::string_view tag, std::uint32_t at) {
    diagnostics_.add({file_, at}, base::format("unknown tag {}", shown(tag)),
                     tag.starts_with('!')
                         ? "! begins a YAML tag; a command that begins with it must be in quotes"
                         : "");
  }

  // The parser says only that there is a null. It may be written as a word, behind an anchor, or
  // not at all; then the place is that of the token that follows.
  std::string_view written_null(std::size_t at) const {
    at = behind_properties(at);
    if (at >= text_.size()) return {};
    constexpr auto kWords = std::to_array<std::string_view>({"null", "Null", "NULL", "~"});
    for (const std::string_view word : kWords) {
      if (!text_.substr(at).starts_with(word)) continue;
      const std::size_t end = at + word.size();
      constexpr std::string_view kAfter = " \t\r\n,]}:";
      if (end == text_.size() || kAfter.find(text_[end]) != std::string_view::npos) {
        return text_.substr(at, word.size());
      }
    }
    return {};
  }

  // Whether one is written in front of the node at `at`.
  bool has_tag(std::size_t at) const {
    if (text_.substr(at).starts_with('&')) at = behind_property(at);
    return text_.substr(at).starts_with('!');
  }

  // Where a node itself begins, behind its anchor and tag.
  std::size_t behind_properties(std::size_t at) const {
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) at = behind_property(at);
    return at;
  }

  std::size_t behind_property(std::size_t at) const {
    at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
    return std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
  }

  // Where the reader of the file sees that something is missing: at the dash, colon or comma.
  std::uint32_t place_of_nothing(std::size_t next_token) const {
    constexpr std::string_view kMarks = "-:,[{?";
    const std::size_t before =
        next_token == 0 ? std::string_view::npos
                        : text_.find_last_not_of(" \t\r\n", std::min(next_token, text_.size()) - 1);
    if (before == std::string_view::npos) return 0;
    if (kMarks.find(text_[before]) != std::string_view::npos) {
      return static_cast<std::uint32_t>(before);
    }
    // Behind a comment or an anchor: the first thing on that line.
    const std::size_t newline = text_.rfind('\n', before);
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    return static_cast<std::uint32_t>(text_.find_first_not_of(" \t", line));
  }

  std::uint32_t file_;
  Diagnostics& diagnostics_;
  std::string_view text_;
  Merger merger_;
  AliasExpander expander_;
  std::uint32_t last_scalar_ = 0;
  std::uint32_t last_ = 0;  // the furthest place so far, for ends, which have none
  int documents_ = 0;
};

struct Told {
  std::string_view text;
  std::string_view hint = {};
};

// The parser's texts, where ours say more. `before` and `after` are the line around the place.
Told told_of(std::string_view text, std::string_view before, std::string_view after) {
  constexpr std::string_view kQuoteAll = "if this is one text, put all of it in quotes";
  const bool begins_line = before.find_first_not_of(" \t") == std::string_view::npos;
  if (begins_line && before.find('\t') != std::string_view::npos) {
    return {"a tab cannot indent; use spaces"};
  }
  const bool is_inside = !begins_line && after.find_first_not_of(" \t\r") != std::string_view::npos;
  if (is_inside && (text == "end of map not found" || text == "end of sequence not found")) {
    return {"the value in front of this has ended", kQuoteAll};
  }
  // A colon rather shows that the end, or a comma, was forgotten.
  const std::string_view flow_hint = is_inside && !after.starts_with(':') ? kQuoteAll : "";
  using Pair = std::pair<std::string_view, Told>;
  const auto better = std::to_array<Pair>({
      {"bad file", {"nested deeper than 64 levels"}},
      {"end of map not found", {"this does not continue the mapping above; check its indentation"}},
      {"end of sequence not found",
       {"this does not continue the list above; check its indentation"}},
      {"end of sequence flow not found", {"the list in [ ] is not closed", flow_hint}},
      {"end of map flow not found", {"the mapping in { } is not closed", flow_hint}},
      {"illegal EOF in scalar", {"the quotes are not closed"}},
      {"illegal tab when looking for indentation", {"a tab cannot indent; use spaces"}},
      {"illegal map value", {"a mapping cannot begin here; a text with ': ' must be in quotes"}},
      {"unexpected character in block scalar",
       {"| and > begin a text on the lines below", kQuoteAll}},
      {"unknown token", {"no text can begin with this character; put it in quotes"}},
      {"the referenced anchor is not defined",
       {"no anchor of that name stands above", "a text that begins with * must be in quotes"}},
  });
  const auto found = std::ranges::find(better, text, &Pair::first);
  return found == better.end() ? Told{text} : found->second;
}

}  // namespace

bool parse_yaml(std::uint32_t file, Diagnostics& diagnostics, EventSink& sink) {
  const std::string_view text = body_of(diagnostics.sources()[file]);
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  EventReader reader(file, diagnostics, sink);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) continue;
    const auto open_quote = reader.find_open_quote();
    if (!open_quote) return true;
    diagnostics.forget_from({file, *open_quote});
    diagnostics.add_last({file, *open_quote}, "the quotes are not closed");
  } catch (const Refusal& refusal) {
    diagnostics.add_last({file, refusal.at}, refusal.text);
  } catch (const YAML::Exception& error) {
    const auto at = static_cast<std::uint32_t>(std::max(error.mark.pos, 0));
    const std::string_view before = text.substr(0, at);
    const std::string_view after = text.substr(before.size());
    const Told told = told_of(error.msg, before.substr(before.rfind('\n') + 1),
                              after.substr(0, after.find('\n')));
    // What was read right before may not be what was meant.
    diagnostics.forget_from({file, reader.last()});
    diagnostics.add_last({file, at}, std::string(told.text), std::string(told.hint));
  }
  return false;
}

}  // namespace osiiso::job
