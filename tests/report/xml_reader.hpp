// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace osiiso::test {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // without that of the elements in it
  std::vector<XmlElement> elements;

  /// Those of this name, in order.
  std::vector<XmlElement> all(std::string_view wanted) const;
  const XmlElement& only(std::string_view wanted) const;
};

/// Reads a document as strictly as XML 1.0 wants it, of what reports use: elements, attributes,
/// text, and the predefined and numeric references. Throws std::runtime_error for anything else,
/// also for characters that XML does not know.
XmlElement read_xml(std::string_view document);

}  // namespace osiiso::test
