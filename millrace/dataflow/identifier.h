// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace millrace::dataflow {

/// A user's name as a SystemVerilog identifier: other characters become underscores.
std::string identifier(const std::string& name);

/// The same for a module that stands by itself: never a keyword, never a name of the hardware
/// library ("mr_..."); such names get the prefix "net_".
std::string module_identifier(const std::string& name);

}  // namespace millrace::dataflow
