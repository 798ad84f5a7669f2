// SPDX-License-Identifier: Apache-2.0
// What the harness sees of a Verilated circuit, whatever its ports are: the harness is compiled
// once, and only verilator_model.cpp with each circuit.
#pragma once

#include <cstdint>
#include <vector>

class VerilatedContext;

namespace millrace_harness {

class Model {
public:
  virtual ~Model() = default;
  virtual void set_clock(bool level) = 0;
  virtual void set_reset(bool level) = 0;
  /// Drives an input's valid and data; 32-bit words, least significant first.
  virtual void drive(int input, bool valid, const uint32_t* words) = 0;
  virtual bool is_valid(int output) const = 0;
  virtual void read(int output, uint32_t* words) const = 0;
  virtual void evaluate() = 0;
  /// Runs the circuit's final blocks.
  virtual void finish() = 0;
};

/// The width of a beat at each input and output.
extern const std::vector<int> input_bits;
extern const std::vector<int> output_bits;

/// The circuit, its registers in the state that the context's random seed gives them.
Model* make_model(VerilatedContext& context);

}  // namespace millrace_harness
