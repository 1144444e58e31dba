// SPDX-License-Identifier: MIT
#include "report/report.hpp"

#include "report/display.hpp"
#include "report/html.hpp"
#include "report/json.hpp"
#include "report/junit.hpp"
#include "report/run_status.hpp"
#include "report/trace.hpp"

namespace osiiso::report {

void write_report(std::ostream& out, Kind kind, const RunSummary& summary, const RunFacts& facts) {
  switch (kind) {
    case Kind::text:
      return write_display(out, summary, status_of(summary, facts), kMostFailuresShown);
    case Kind::json:
      return write_json(out, summary, facts);
    case Kind::junit:
      return write_junit(out, summary, facts);
    case Kind::html:
      return write_html(out, summary, facts);
    case Kind::trace:
      return write_trace(out, summary, facts);
  }
}

}  // namespace osiiso::report
