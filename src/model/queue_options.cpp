// SPDX-License-Identifier: MIT
#include "osiiso/queue_options.hpp"

#include <cmath>

#include "osiiso/error.hpp"

namespace osiiso {
namespace {

void require(bool holds, const char* rule) {
  if (!holds) throw OptionError(rule);
}

}  // namespace

void validate(const QueueOptions& options) {
  constexpr Duration kZero{0};
  require(options.size >= 0, "size must be >= 0");
  require(!options.workers || *options.workers > 0, "workers must be > 0");
  require(!options.timeout || *options.timeout > kZero, "timeout must be > 0");
  require(!options.rate || *options.rate > 0, "rate must be > 0");  // NaN does not pass
  require(!options.rate || std::isfinite(*options.rate), "rate must be finite");
  require(options.burst >= 1, "burst must be >= 1");
  require(options.grace >= kZero, "grace must be >= 0");
}

}  // namespace osiiso
