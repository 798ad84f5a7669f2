// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/dataflow/schedule.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// The AXI4-Stream wrapper of a circuit, NAME_axis: rtl/mr_axis.sv around it.
Module emit_axis(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule);

}  // namespace millrace::verilog
