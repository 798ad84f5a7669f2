// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/support/diagnostics.h"

namespace millrace {

/// Reads a type with its modes as AMD's headers and hls4ml write it: "fixed<16,6>",
/// "ap_ufixed<8, 0, AP_RND_CONV, AP_SAT>", "ap_int<8>", "uint<4>". Modes left out are those of
/// ap_fixed: TRN and WRAP. A fifth argument, the saturated bits of a wrap, may be 0.
/// Errors   fixed.quantizer_syntax, fixed.unknown_mode, and those of parse_fixed_type().
Result<Quantizer> parse_quantizer(std::string_view text, const std::string& where = {});

/// "fixed<16,6,TRN,WRAP>".
std::string to_string(const Quantizer& quantizer);

}  // namespace millrace
