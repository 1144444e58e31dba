// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace osiiso::report {

// The files page.html, page.css and page*.js, which the build puts into the program.
extern const std::string_view kPageHtml;
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;

}  // namespace osiiso::report
