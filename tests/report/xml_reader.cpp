// SPDX-License-Identifier: MIT
#include "report/xml_reader.hpp"

#include <charconv>
#include <cstddef>
#include <stdexcept>

#include "base/text.hpp"

namespace osiiso::test {
namespace {

constexpr std::string_view kProlog = R"(<?xml version="1.0" encoding="UTF-8"?>)";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

class Reader {
 public:
  explicit Reader(std::string_view document) : text_(document) {}

  XmlElement read() {
    refuse_bad_characters();
    take(kProlog);
    skip_spaces();
    XmlElement root = element();
    skip_spaces();
    if (at_ != text_.size()) fail("something behind the root");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(what + " at byte " + std::to_string(at_));
  }

  void refuse_bad_characters() {
    if (const auto bad = base::find_invalid_utf8(text_)) {
      at_ = *bad;
      fail("no UTF-8");
    }
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20 && !is_space(text_[at_])) fail("a control character");
      const auto three = text_.substr(at_, 3);
      if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") fail("a noncharacter");
    }
    at_ = 0;
  }

  char look() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void take(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) fail("no " + std::string(wanted));
    at_ += wanted.size();
  }

  void skip_spaces() {
    while (is_space(look())) ++at_;
  }

  std::string name() {
    const auto start = at_;
    while (is_name_character(look())) ++at_;
    if (at_ == start) fail("no name");
    return std::string(text_.substr(start, at_ - start));
  }

  XmlElement element() {
    XmlElement made;
    take("<");
    made.name = name();
    while (is_space(look())) attribute(made);
    if (look() == '/') {
      take("/>");
      return made;
    }
    take(">");
    while (text_.substr(at_, 2) != "</") {
      if (look() == '<') {
        made.elements.push_back(element());
      } else {
        made.text += character();
      }
    }
    take("</" + made.name + ">");
    return made;
  }

  void attribute(XmlElement& owner) {
    skip_spaces();
    const std::string key = name();
    take("=\"");
    std::string value;
    while (look() != '"') {
      if (look() == '<') fail("< in an attribute");
      // Readers turn a line end or tab that stands there as it is into a space.
      value += is_space(look()) ? (++at_, " ") : character();
    }
    take("\"");
    if (!owner.attributes.emplace(key, value).second) fail("two attributes " + key);
  }

  std::string character() {
    if (at_ >= text_.size()) fail("the end");
    if (look() == '&') return reference();
    if (text_.substr(at_, 3) == "]]>") fail("]]> in a text");
    if (look() == '\r') fail("a carriage return, which readers turn into a line end");
    return std::string(1, text_[at_++]);
  }

  std::string reference() {
    static const std::map<std::string_view, const char*> kKnown = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
    const auto end = text_.find(';', at_);
    if (end == std::string_view::npos) fail("& without ;");
    const auto whole = text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    if (const auto known = kKnown.find(whole); known != kKnown.end()) return known->second;
    int number = 0;
    const auto digits = whole.substr(2, whole.size() - 3);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_known = number == '\t' || number == '\n' || number == '\r';
    if (read.ptr != digits.data() + digits.size() || !is_known) fail("an unknown reference");
    return std::string(1, static_cast<char>(number));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<XmlElement> XmlElement::all(std::string_view wanted) const {
  std::vector<XmlElement> found;
  for (const XmlElement& each : elements) {
    if (each.name == wanted) found.push_back(each);
  }
  return found;
}

const XmlElement& XmlElement::only(std::string_view wanted) const {
  const XmlElement* found = nullptr;
  for (const XmlElement& each : elements) {
    if (each.name != wanted) continue;
    if (found != nullptr) throw std::runtime_error("two elements " + std::string(wanted));
    found = &each;
  }
  if (found == nullptr) throw std::runtime_error("no element " + std::string(wanted));
  return *found;
}

XmlElement read_xml(std::string_view document) {
  return Reader(document).read();
}

}  // namespace osiiso::test
