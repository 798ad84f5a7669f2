// SPDX-License-Identifier: Apache-2.0
// What the harness sees of a Verilated circuit, whatever its widths are: the harness is compiled
// once, and only verilator_model.cpp with each circuit.
#pragma once

#include <cstdint>

class VerilatedContext;

namespace millrace_harness {

class Model {
public:
  virtual ~Model() = default;
  virtual void set_clock(bool level) = 0;
  virtual void set_reset(bool level) = 0;
  /// Drives in_valid_i and in_data_i; 32-bit words, least significant first.
  virtual void drive(bool valid, const uint32_t* words) = 0;
  virtual bool out_valid() const = 0;
  virtual void read(uint32_t* words) const = 0;
  virtual void evaluate() = 0;
  /// Runs the circuit's final blocks.
  virtual void finish() = 0;
};

extern const int input_bits;
extern const int output_bits;

/// The circuit, its registers in the state that the context's random seed gives them.
Model* make_model(VerilatedContext& context);

}  // namespace millrace_harness
