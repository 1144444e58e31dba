// SPDX-License-Identifier: MIT
#pragma once

#include "job/yaml_events.hpp"

namespace osiiso::job {

/// Parses a job file whose bytes were checked, and gives `sink` its events. False where the
/// document could not be read to its end; the reason is then among the diagnostics.
bool parse_yaml(std::uint32_t file, Diagnostics& diagnostics, EventSink& sink);

}  // namespace osiiso::job
