// SPDX-License-Identifier: Apache-2.0
// Joins one Verilated circuit (class Vtop) to the harness. Compiled with Verilator's output, with
// its streams in verilator_ports.inc: MILLRACE_INPUT(number, prefix, beat bits) for each input,
// then MILLRACE_OUTPUT alike.
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
  void drive(int input, bool valid, const uint32_t* words) override {
    switch (input) {
#define MILLRACE_INPUT(number, valid_port, data_port, bits) \
  case number:                                              \
    top_.valid_port = valid;                                \
    to_port(words, top_.data_port);                         \
    break;
#define MILLRACE_OUTPUT(number, valid_port, data_port, bits)
#include "verilator_ports.inc"
#undef MILLRACE_INPUT
#undef MILLRACE_OUTPUT
    }
  }
  bool is_valid(int output) const override {
    switch (output) {
#define MILLRACE_INPUT(number, valid_port, data_port, bits)
#define MILLRACE_OUTPUT(number, valid_port, data_port, bits) \
  case number:                                               \
    return top_.valid_port;
#include "verilator_ports.inc"
#undef MILLRACE_OUTPUT
    }
    return false;
  }
  void read(int output, uint32_t* words) const override {
    switch (output) {
#define MILLRACE_OUTPUT(number, valid_port, data_port, bits) \
  case number:                                               \
    from_port(top_.data_port, words);                        \
    break;
#include "verilator_ports.inc"
#undef MILLRACE_INPUT
#undef MILLRACE_OUTPUT
    }
  }
  void evaluate() override { top_.eval(); }
  void finish() override { top_.final(); }

private:
  Vtop top_;
};

}  // namespace

const std::vector<int> input_bits{
#define MILLRACE_INPUT(number, valid_port, data_port, bits) bits,
#define MILLRACE_OUTPUT(number, valid_port, data_port, bits)
#include "verilator_ports.inc"
#undef MILLRACE_INPUT
#undef MILLRACE_OUTPUT
};
const std::vector<int> output_bits{
#define MILLRACE_INPUT(number, valid_port, data_port, bits)
#define MILLRACE_OUTPUT(number, valid_port, data_port, bits) bits,
#include "verilator_ports.inc"
#undef MILLRACE_INPUT
#undef MILLRACE_OUTPUT
};

Model* make_model(VerilatedContext& context) {
  return new VerilatedCircuit(context);
}

}  // namespace millrace_harness
