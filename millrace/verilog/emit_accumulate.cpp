// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_accumulate.h"

#include <fmt/format.h>

#include "millrace/verilog/emit_datapath.h"
#include "millrace/verilog/ports.h"

namespace millrace::verilog {
namespace {

/// A long constant as a concatenation of sized literals, the first value lowest.
Expr packed(const std::vector<int64_t>& values, const std::vector<FixedType>& types) {
  std::vector<Expr> parts;
  for (size_t i = values.size(); i-- > 0;)
    parts.push_back(expr(Literal{types[i].width, values[i], types[i].is_signed}));
  return expr(Concat{std::move(parts)});
}

}  // namespace

std::vector<Module> emit_accumulate(const std::string& module_name, const dataflow::Stage& stage,
                                    const dataflow::AccumulateStage& accumulate, int64_t in_bits) {
  const auto outputs = static_cast<int64_t>(accumulate.bias.size());
  const auto beats = static_cast<int64_t>(accumulate.weights.size());
  const int64_t sum_bits = outputs * accumulate.sum_type.width;
  int64_t weight_bits = 0;
  for (const FixedType& type : accumulate.weight_types)
    weight_bits += type.width;
  const int beat_bits = narrowest_type(0, beats - 1, 0).value().width;
  const int latency = accumulate.products.latency_cycles();

  Module products = emit_datapath(
      accumulate.products, module_name + "_products",
      fmt::format("The products of layer {}, for one beat: the beat's elements (lowest) and one\n"
                  "weight for each element and output, summed up for each output.\n\n"
                  "Latency {} cycles. Throughput 1 beat/cycle.",
                  fmt::format("{}", fmt::join(stage.layers, ", ")), latency));

  Module m{.comment = fmt::format(
               "Layer {}: {} inputs a beat, {} outputs, {} beats a frame. The weights of a beat "
               "stand in a\nregister before it arrives.\n\n"
               "Latency {} cycles from the last beat. Throughput 1 beat/cycle.",
               fmt::format("{}", fmt::join(stage.layers, ", ")),
               accumulate.weight_types.size() / accumulate.bias.size(), outputs, beats,
               stage.latency_cycles),
           .name = module_name,
           .ports = valid_ports(in_bits, sum_bits),
           .items = {}};
  const auto add = [&m](auto item) { m.items.push_back({std::move(item)}); };
  const Expr last_code = expr(Literal{beat_bits, beats - 1, false});
  const Expr zero = expr(Literal{beat_bits, 0, false});

  add(Comment{"Position in the frame: the beat that arrives next"});
  add(Signal{"beat_q", beat_bits});
  add(Signal{"beat_d", beat_bits});
  add(Signal{"last"});
  add(Assign{name("last"), binary("==", name("beat_q"), last_code)});
  add(Assign{
      name("beat_d"),
      expr(Conditional{
          name("rst_i"), zero,
          expr(Conditional{expr(Unary{"!", name("in_valid_i")}), name("beat_q"),
                           expr(Conditional{name("last"), zero,
                                            binary("+", name("beat_q"),
                                                   expr(Literal{beat_bits, 1, false}))})})})});
  add(Registers{{{name("beat_q"), name("beat_d")}}});
  add(Comment{""});
  add(Comment{"Its weights"});
  add(Signal{"weights_d", weight_bits});
  add(Signal{"weights_q", weight_bits});
  Lookup rom{.selector = name("beat_d"), .target = name("weights_d"), .rows = {}, .otherwise = {}};
  for (int64_t beat = 0; beat + 1 < beats; ++beat)
    rom.rows.emplace_back(
        expr(Literal{beat_bits, beat, false}),
        packed(accumulate.weights[static_cast<size_t>(beat)], accumulate.weight_types));
  rom.otherwise = packed(accumulate.weights.back(), accumulate.weight_types);
  add(std::move(rom));
  add(Registers{{{name("weights_q"), name("weights_d")}}});
  add(Comment{""});
  add(Comment{"Products and their sums"});
  add(Signal{"sums", sum_bits});
  Instance u_products{
      .module = module_name + "_products", .name = "u_products", .parameters = {}, .ports = {}};
  if (has_registers(accumulate.products))
    u_products.ports.emplace_back("clk_i", nullptr);
  u_products.ports.emplace_back("in_data_i", expr(Concat{{name("weights_q"), name("in_data_i")}}));
  u_products.ports.emplace_back("out_data_o", name("sums"));
  add(std::move(u_products));
  add(Comment{""});
  for (const char* signal : {"sums_valid", "sums_first", "sums_last"})
    add(Signal{signal});
  Instance u_flags{.module = "mr_delay",
                   .name = "u_flags",
                   .parameters = {{"Width", number(3)}, {"Cycles", number(latency)}},
                   .ports = clock_and_reset()};
  u_flags.ports.emplace_back(
      "in_i", expr(Concat{{name("in_valid_i"), binary("==", name("beat_q"), zero), name("last")}}));
  u_flags.ports.emplace_back(
      "out_o", expr(Concat{{name("sums_valid"), name("sums_first"), name("sums_last")}}));
  add(std::move(u_flags));

  std::vector<Expr> bias;
  for (size_t i = accumulate.bias.size(); i-- > 0;)
    bias.push_back(expr(
        Literal{accumulate.sum_type.width, accumulate.bias[i], accumulate.sum_type.is_signed}));
  Instance u_accumulator{.module = "mr_accumulator",
                         .name = "u_accumulator",
                         .parameters = {{"Outputs", number(outputs)},
                                        {"SumBits", number(accumulate.sum_type.width)},
                                        {"Bias", expr(Concat{std::move(bias)})}},
                         .ports = clock_and_reset()};
  u_accumulator.ports.insert(u_accumulator.ports.end(), {{"in_valid_i", name("sums_valid")},
                                                         {"in_first_i", name("sums_first")},
                                                         {"in_last_i", name("sums_last")},
                                                         {"in_data_i", name("sums")},
                                                         {"out_valid_o", nullptr},
                                                         {"out_data_o", nullptr}});
  add(std::move(u_accumulator));
  return {std::move(m), std::move(products)};
}

}  // namespace millrace::verilog
