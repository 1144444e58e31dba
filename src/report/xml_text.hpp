// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace osiiso::report {

/// What may stand in an element or a quoted attribute of XML 1.0 for any bytes: markup is escaped,
/// sequences that drive a terminal (colours) are left out, and whatever XML cannot say, or is no
/// UTF-8, becomes U+FFFD. `attribute` keeps line ends and tabs, which readers turn into spaces.
std::string xml_text(std::string_view text);
std::string xml_attribute(std::string_view text);

}  // namespace osiiso::report
