// SPDX-License-Identifier: Apache-2.0
// Joins one Verilated circuit (class Vtop) to the harness. Compiled with Verilator's output, with
// the streams' widths in MILLRACE_INPUT_BITS and MILLRACE_OUTPUT_BITS.
#include "verilator_model.h"

#include "Vtop.h"
#include "verilated.h"

namespace millrace_harness {
namespace {

// A port is an integer of 8 to 64 bits, or an array of words when it is wider.
template <class Port>
void to_port(const uint32_t* words, Port& port) {
  uint64_t value = words[0];
  if constexpr (sizeof(Port) > sizeof(uint32_t))
    value |= static_cast<uint64_t>(words[1]) << 32;
  port = static_cast<Port>(value);
}

template <size_t NumWords>
void to_port(const uint32_t* words, VlWide<NumWords>& port) {
  for (size_t i = 0; i < NumWords; ++i)
    port[i] = words[i];
}

template <class Port>
void from_port(const Port& port, uint32_t* words) {
  words[0] = static_cast<uint32_t>(port);
  if constexpr (sizeof(Port) > sizeof(uint32_t))
    words[1] = static_cast<uint32_t>(port >> 32);
}

template <size_t NumWords>
void from_port(const VlWide<NumWords>& port, uint32_t* words) {
  for (size_t i = 0; i < NumWords; ++i)
    words[i] = port[i];
}

class VerilatedCircuit final : public Model {
public:
  explicit VerilatedCircuit(VerilatedContext& context) : top_(&context) {}

  void set_clock(bool level) override { top_.clk_i = level; }
  void set_reset(bool level) override { top_.rst_i = level; }
  void drive(bool valid, const uint32_t* words) override {
    top_.in_valid_i = valid;
    to_port(words, top_.in_data_i);
  }
  bool out_valid() const override { return top_.out_valid_o; }
  void read(uint32_t* words) const override { from_port(top_.out_data_o, words); }
  void evaluate() override { top_.eval(); }
  void finish() override { top_.final(); }

private:
  Vtop top_;
};

}  // namespace

const int input_bits = MILLRACE_INPUT_BITS;
const int output_bits = MILLRACE_OUTPUT_BITS;

Model* make_model(VerilatedContext& context) {
  return new VerilatedCircuit(context);
}

}  // namespace millrace_harness
