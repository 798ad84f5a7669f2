// SPDX-License-Identifier: Apache-2.0
// Types of a model's numbers from hls4ml's configuration files.
#pragma once

#include <filesystem>
#include <string>

#include "millrace/quantize/type_rules.h"

namespace millrace::cli {

/// Reads the precisions of an hls4ml configuration: a whole file with HLSConfig, or what stands in
/// it.
///
///     Model: {Precision: 'ap_fixed<16,6>'}
///     LayerType:
///       Dense: {Precision: {weight: 'ap_fixed<8,2>', default: 'ap_fixed<12,4>'}}
///     LayerName:
///       fc1: {Precision: {result: auto}}
///
/// Also what its tables are like: table_size, table_t, exp_table_t, inv_table_t, inv_inp_t,
/// inp_norm_t, and a softmax's implementation. What else hls4ml has beside precisions (ReuseFactor,
/// Strategy, ...) says how its own circuits are made, and is read over.
///
/// Errors   a missing file; not YAML of this form; a key, class or type that is not known. Each
///          names the file and line.
Result<quantize::TypeRules> read_type_rules(const std::filesystem::path& file);

/// The same for text; `where` names it.
Result<quantize::TypeRules> parse_type_rules(const std::string& text, const std::string& where);

}  // namespace millrace::cli
