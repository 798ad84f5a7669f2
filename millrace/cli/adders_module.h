// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/dataflow/datapath.h"

namespace millrace::cli {

/// A constant matrix multiplication as a SystemVerilog file of its own.
struct AddersModule {
  std::string name = {};     ///< of the module
  std::string command = {};  ///< that makes the file, for its heading
  int rows = 0, columns = 0;
  int64_t adders = 0;
};

/// The text of the file. Its heading says where each input and each output lies in the ports.
std::string to_verilog(const AddersModule& module, const dataflow::Datapath& datapath);

/// How many of a datapath's nodes add three numbers.
int64_t count_three_input_adders(const dataflow::Datapath& datapath);

/// The types of a datapath's inputs, in order.
std::vector<FixedType> input_types(const dataflow::Datapath& datapath);
/// The types of its outputs, in order.
std::vector<FixedType> output_types(const dataflow::Datapath& datapath);

}  // namespace millrace::cli
