// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/dataflow/circuit.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// The modules of an accumulate stage: MODULE_NAME (position in the frame, weights, accumulator)
/// and MODULE_NAME_products, the datapath of one beat, which has `in_bits` bits.
std::vector<Module> emit_accumulate(const std::string& module_name, const dataflow::Stage& stage,
                                    const dataflow::AccumulateStage& accumulate, int64_t in_bits);

}  // namespace millrace::verilog
