// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/dataflow/circuit.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// The modules of an accumulate stage: MODULE_NAME (position in the frame, chunk, weights,
/// accumulator) and MODULE_NAME_products, the datapath of one step.
std::vector<Module> emit_accumulate(const std::string& module_name, const dataflow::Stage& stage,
                                    const dataflow::AccumulateStage& accumulate);

}  // namespace millrace::verilog
