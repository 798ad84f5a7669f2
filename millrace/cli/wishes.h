// SPDX-License-Identifier: Apache-2.0
// What users write about the circuit that they wish for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/cli/options.h"
#include "millrace/dataflow/wish.h"

namespace millrace::cli {

/// The whole cycles of `clock_ns` in a time such as "300ns", "0.3us" or "60cycles"; `option` names
/// the place of the diagnostic.
/// Errors   another form; not positive.
Result<int64_t> parse_cycles(const std::string& option, const std::string& text, double clock_ns);

/// The wish of --latency, --interval and --max-lut.
/// Errors   those of parse_cycles(); --max-lut below 1.
Result<dataflow::Wish> parse_wish(const CompileOptions& options, double clock_ns);

/// The beats that --lanes leaves to choose from: "4", "4x28" (rows x width), "all"; without it a
/// whole row, or all of dataflow::beat_shapes() where there is a wish.
/// Errors   another form.
Result<std::vector<dataflow::BeatShape>> parse_lanes(const std::string& text,
                                                     const graph::Graph& model, bool has_wish);

/// What --adders says for a family: "auto" is three inputs where its carry chains add them.
bool uses_three_input_adders(const std::string& adders, const std::string& family);

/// "never", "auto" or "prefer": what --dsp and the overrides say.
dataflow::BlockUse parse_block_use(const std::string& text);

}  // namespace millrace::cli
