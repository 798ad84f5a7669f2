// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_accumulate.h"

#include <algorithm>
#include <fmt/format.h>

#include "millrace/support/check.h"
#include "millrace/verilog/emit_datapath.h"
#include "millrace/verilog/ports.h"

namespace millrace::verilog {
namespace {

using dataflow::AccumulateStage;
using dataflow::beat_width;
using dataflow::ChunkPlace;
using dataflow::DspChain;
using dataflow::DspWeights;

int code_bits(int64_t codes) {
  return narrowest_type(0, codes - 1, 0).value().width;
}

class AccumulateEmitter {
public:
  AccumulateEmitter(const std::string& module_name, const dataflow::Stage& stage,
                    const AccumulateStage& accumulate)
      : name_(module_name),
        layers_(fmt::format("{}", fmt::join(stage.layers, ", "))),
        stage_(accumulate),
        outputs_(static_cast<int64_t>(accumulate.bias.size())) {
    int64_t offset = 0;
    for (const adders::Range& range : stage_.elements) {
      offsets_.push_back(offset);
      offset += beat_width(range);
    }
    in_bits_ = offset;
  }

  std::vector<Module> run() {
    Module products = emit_datapath(
        stage_.products, name_ + "_products",
        fmt::format(
            "The products of layer {}, for one step: {}, summed up for each output; and what each "
            "sum lacks.\n\nLatency {} cycles. Throughput 1 step/cycle.",
            layers_,
            in_blocks() ? "what the chains of DSP blocks give (the first lowest)"
                        : "the chunk's elements (lowest) and the bits of their\nweights",
            stage_.products.latency_cycles()));
    module_.comment = fmt::format(
        "Layer {}: {} outputs from {} beats of {} elements, each beat in {} steps of {} elements. "
        "{}.\n\nLatency {} cycles from the last beat. Throughput 1 beat every {} cycles.",
        layers_, outputs_, stage_.beats, stage_.elements.size(), stage_.phases, stage_.chunk.size(),
        in_blocks() ? "DSP\nblocks multiply, and add along their cascades"
                    : "The\nweights of a step stand in a register before it",
        latency_cycles(stage_), stage_.phases);
    module_.name = name_;
    module_.ports = valid_ports(in_bits_, outputs_ * stage_.sum_type.width);
    emit_position();
    if (!stage_.chunk.empty()) {
      if (stage_.phases > 1 && !stage_.held)
        emit_capture();
      emit_chunk();
    }
    if (in_blocks())
      emit_blocks();
    else
      emit_weights();
    emit_products(products_latency_cycles(stage_));
    emit_accumulator();
    emit_unused();
    std::vector<Module> modules = {std::move(module_)};
    if (has_products())
      modules.push_back(std::move(products));
    return modules;
  }

private:
  template <class T>
  void add(T item) {
    module_.items.push_back({std::move(item)});
  }
  void comment(const std::string& text) {
    add(Comment{""});
    add(Comment{text});
  }

  void emit_position() {
    add(Comment{"Position among the steps of a frame: this step, and the one that comes next"});
    add(Signal{"step"});
    add(Signal{"phase", code_bits(stage_.phases)});
    add(Signal{"first"});
    add(Signal{"last"});
    add(Signal{"next", code_bits(stage_.steps())});
    Instance u_position{
        .module = "mr_phase_counter",
        .name = "u_position",
        .parameters = {{"Beats", number(stage_.beats)}, {"Phases", number(stage_.phases)}},
        .ports = clock_and_reset()};
    u_position.ports.insert(u_position.ports.end(), {{"in_valid_i", nullptr},
                                                     {"step_o", name("step")},
                                                     {"phase_o", name("phase")},
                                                     {"first_o", name("first")},
                                                     {"last_o", name("last")},
                                                     {"next_o", name("next")}});
    add(std::move(u_position));
  }

  int width_of(int element) const {
    return beat_width(stage_.elements[static_cast<size_t>(element)]);
  }
  Expr arriving(int element) const {
    return select(name("in_data_i"), offsets_[static_cast<size_t>(element)], width_of(element));
  }
  static std::string kept_name(int element) { return fmt::format("e{}_q", element); }

  void emit_capture() {
    comment("What is worked on in later phases, kept as it arrives");
    std::vector<std::pair<Expr, Expr>> updates;
    for (size_t phase = 1; phase < static_cast<size_t>(stage_.phases); ++phase)
      for (const ChunkPlace& place : stage_.chunk) {
        const int element = place.elements[phase];
        if (element < 0)
          continue;
        const Expr kept = name(kept_name(element));
        add(Signal{kept_name(element), width_of(element)});
        updates.emplace_back(kept, expr(Conditional{name("in_valid_i"), arriving(element), kept}));
      }
    if (!updates.empty())
      add(Registers{std::move(updates)});
  }

  /// The element that stands in a place in a phase, as wide as the place.
  Expr element_in(const ChunkPlace& place, size_t phase) const {
    const int element = place.elements[phase];
    const adders::Range& range = stage_.elements[static_cast<size_t>(element)];
    const int width = beat_width(place.range);
    Expr value = phase == 0 || stage_.held ? arriving(element) : name(kept_name(element));
    if (width_of(element) == width)
      return value;
    if (range.lo < 0)
      value = expr(Call{"$signed", {std::move(value)}});
    return expr(Cast{width, std::move(value)});
  }

  /// The choice among phases [begin, begin + 2^level), from the bits of the phase; none where
  /// nothing stands in any of them.
  Expr chosen(const ChunkPlace& place, size_t begin, int level) const {
    if (begin >= place.elements.size())
      return nullptr;
    if (level == 0)
      return place.elements[begin] < 0 ? nullptr : element_in(place, begin);
    const Expr low = chosen(place, begin, level - 1);
    const Expr high = chosen(place, begin + (size_t{1} << (level - 1)), level - 1);
    if (!low || !high)
      return low ? low : high;
    return expr(Conditional{bit(name("phase"), level - 1), high, low});
  }

  void emit_chunk() {
    comment("The chunk that is worked on");
    const int levels = stage_.phases == 1 ? 0 : code_bits(stage_.phases);
    for (size_t i = 0; i < stage_.chunk.size(); ++i) {
      const ChunkPlace& place = stage_.chunk[i];
      add(Wire{fmt::format("x{}", i), beat_width(place.range), false, chosen(place, 0, levels)});
    }
  }

  /// A line's bits, in literals of up to 64, the first step lowest.
  static Expr line_contents(const std::vector<bool>& line) {
    constexpr size_t PieceBits = 64;
    std::vector<Expr> pieces;
    for (size_t begin = (line.size() - 1) / PieceBits * PieceBits;; begin -= PieceBits) {
      const size_t width = std::min(PieceBits, line.size() - begin);
      Int128 bits = 0;
      for (size_t i = 0; i < width; ++i)
        if (line[begin + i])
          bits += Int128{1} << i;
      pieces.push_back(expr(Literal{static_cast<int>(width), bits, false}));
      if (begin == 0)
        break;
    }
    return pieces.size() == 1 ? pieces.front() : expr(Concat{std::move(pieces)});
  }

  void emit_weights() {
    if (stage_.lines.empty())
      return;
    comment("The weights' bits");
    emit_memory("weights_d", stage_.lines, name("next"));
    add(Signal{"weights_q", static_cast<int64_t>(stage_.lines.size())});
    add(Registers{{{name("weights_q"), name("weights_d")}}});
  }

  /// A memory of lines, whose bits are the signal `data`.
  void emit_memory(const std::string& data, const std::vector<std::vector<bool>>& lines,
                   Expr address) {
    add(Signal{data, static_cast<int64_t>(lines.size())});
    std::vector<Expr> contents;  // the last line is the highest
    for (size_t i = lines.size(); i-- > 0;)
      contents.push_back(line_contents(lines[i]));
    add(Instance{.module = "mr_rom",
                 .name = "u_" + data,
                 .parameters = {{"Lines", number(std::ssize(lines))},
                                {"Steps", number(stage_.steps())},
                                {"Contents", expr(Concat{std::move(contents)})}},
                 .ports = {{"address_i", std::move(address)}, {"data_o", name(data)}}});
  }

  // --- DSP blocks --------------------------------------------------------------------------

  bool in_blocks() const { return !stage_.chains.empty(); }

  /// What waits for `delay` cycles; no suffix for none.
  static std::string delayed_name(const std::string& signal, int delay) {
    return delay == 0 ? signal : fmt::format("{}_q{}", signal, delay);
  }

  /// The signal of `width` bits, 1 to `most` cycles later.
  void emit_delays(const std::string& signal, int64_t width, int most) {
    std::vector<std::pair<Expr, Expr>> updates;
    for (int delay = 1; delay <= most; ++delay) {
      add(Signal{delayed_name(signal, delay), width});
      updates.emplace_back(name(delayed_name(signal, delay)),
                           name(delayed_name(signal, delay - 1)));
    }
    if (!updates.empty())
      add(Registers{std::move(updates)});
  }

  void emit_blocks() {
    const int depth = cascade_depth(stage_.chains);
    std::vector<int> waits(stage_.chunk.size(), 0);
    for (const DspChain& chain : stage_.chains)
      for (size_t i = 0; i < chain.blocks.size(); ++i) {
        int& wait = waits[chain.blocks[i].place];
        wait = std::max(wait, block_delay(stage_.chains, chain, i));
      }
    comment("The chunk for blocks that stand later in their chains");
    for (size_t i = 0; i < waits.size(); ++i)
      emit_delays(fmt::format("x{}", i), beat_width(stage_.chunk[i].range), waits[i]);

    comment("The weights' bits, for the blocks of each delay");
    std::vector<DspWeights> weights;
    int last_read = 0;
    for (int delay = 0; delay < depth; ++delay) {
      weights.push_back(dsp_weights(stage_.chains, delay));
      if (!weights.back().lines.empty())
        last_read = delay + 1;  // the number of the step itself is that of the cycle before's next
    }
    emit_delays("next", code_bits(stage_.steps()), last_read);
    for (int delay = 0; delay < depth; ++delay)
      if (const auto& lines = weights[static_cast<size_t>(delay)].lines; !lines.empty())
        emit_memory(weights_name(delay), lines, name(delayed_name("next", delay + 1)));

    comment("Chains of DSP blocks");
    for (size_t i = 0; i < stage_.chains.size(); ++i)
      emit_chain(i, weights);
  }

  static std::string weights_name(int delay) { return fmt::format("weights{}", delay); }
  static std::string sum_name(size_t chain) { return fmt::format("chain{}", chain); }

  /// A signed operand of `width` bits.
  Expr factor(size_t place, int delay, int width) const {
    const adders::Range& range = stage_.chunk[place].range;
    Expr value = name(delayed_name(fmt::format("x{}", place), delay));
    if (range.lo >= 0 || beat_width(range) == width)
      return beat_width(range) == width ? value : expr(Cast{width, std::move(value)});
    return expr(Cast{width, expr(Call{"$signed", {std::move(value)}})});
  }

  void emit_chain(size_t index, const std::vector<DspWeights>& weights) {
    const DspChain& chain = stage_.chains[index];
    int factor_bits = 1;
    for (const dataflow::DspBlock& block : chain.blocks) {
      const adders::Range& range = stage_.chunk[block.place].range;
      factor_bits = std::max(factor_bits, beat_width(range) + (range.lo >= 0 ? 1 : 0));
    }
    std::vector<Expr> factors, weight_bits;  // the last block's are the highest
    for (size_t i = chain.blocks.size(); i-- > 0;) {
      const int delay = block_delay(stage_.chains, chain, i);
      factors.push_back(factor(chain.blocks[i].place, delay, factor_bits));
      const auto& bits = weights[static_cast<size_t>(delay)].bits[index];
      for (auto bit_source = bits.rbegin(); bit_source != bits.rend(); ++bit_source)
        weight_bits.push_back(bit_source->line < 0
                                  ? expr(Literal{1, bit_source->value ? 1 : 0, false})
                                  : bit(name(weights_name(delay)), bit_source->line));
    }
    add(Signal{sum_name(index), chain.sum_bits()});
    add(Instance{.module = "mr_dsp_chain",
                 .name = fmt::format("u_chain{}", index),
                 .parameters = {{"Blocks", number(std::ssize(chain.blocks))},
                                {"XBits", number(factor_bits)},
                                {"WBits", number(dataflow::weight_bits(chain))},
                                {"PBits", number(chain.sum_bits())}},
                 .ports = {{"clk_i", nullptr},
                           {"x_i", expr(Concat{std::move(factors)})},
                           {"w_i", expr(Concat{std::move(weight_bits)})},
                           {"p_o", name(sum_name(index))}}});
  }

  /// What the products are made from, the first lowest.
  Expr product_inputs() const {
    std::vector<Expr> inputs;
    if (!stage_.lines.empty())
      inputs.push_back(name("weights_q"));
    for (size_t i = stage_.chains.size(); i-- > 0;) {
      const DspChain& chain = stage_.chains[i];
      if (chain.borrows())  // the sign of the low field, which the chain's whole sum holds below
        inputs.push_back(bit(name(sum_name(i)), chain.low_bits() - 1));
      inputs.push_back(name(sum_name(i)));
    }
    for (size_t i = stage_.chunk.size(); i-- > 0 && !in_blocks();)
      inputs.push_back(name(fmt::format("x{}", i)));
    return expr(Concat{std::move(inputs)});
  }

  /// False where every weight is 0, or nothing but 0 arrives.
  bool has_products() const { return !stage_.lines.empty() || !stage_.chunk.empty(); }

  void emit_products(int latency) {
    comment("Products and their sums, and what the sums lack");
    const int64_t sum_bits = outputs_ * stage_.sum_type.width;
    add(Signal{"sums", sum_bits});
    add(Signal{"carries", outputs_});
    if (has_products())
      emit_products_instance();
    else
      for (const auto& [signal, width] : {std::pair{"sums", sum_bits}, {"carries", outputs_}})
        add(Assign{name(signal), expr(Literal{static_cast<int>(width), 0, false})});
    add(Comment{""});
    for (const char* signal : {"sums_valid", "sums_first", "sums_last"})
      add(Signal{signal});
    Instance u_flags{.module = "mr_delay",
                     .name = "u_flags",
                     .parameters = {{"Width", number(3)}, {"Cycles", number(latency)}},
                     .ports = clock_and_reset()};
    u_flags.ports.emplace_back("in_i", expr(Concat{{name("step"), name("first"), name("last")}}));
    u_flags.ports.emplace_back(
        "out_o", expr(Concat{{name("sums_valid"), name("sums_first"), name("sums_last")}}));
    add(std::move(u_flags));
  }

  void emit_products_instance() {
    Instance u_products{
        .module = name_ + "_products", .name = "u_products", .parameters = {}, .ports = {}};
    if (has_registers(stage_.products))
      u_products.ports.emplace_back("clk_i", nullptr);
    u_products.ports.emplace_back("in_data_i", product_inputs());
    u_products.ports.emplace_back("out_data_o", expr(Concat{{name("carries"), name("sums")}}));
    add(std::move(u_products));
  }

  void emit_accumulator() {
    const FixedType& type = stage_.sum_type;
    std::vector<Expr> bias;
    for (size_t i = stage_.bias.size(); i-- > 0;)
      bias.push_back(expr(Literal{type.width, stage_.bias[i], type.is_signed}));
    Instance u_accumulator{.module = "mr_accumulator",
                           .name = "u_accumulator",
                           .parameters = {{"Outputs", number(outputs_)},
                                          {"SumBits", number(type.width)},
                                          {"Bias", expr(Concat{std::move(bias)})}},
                           .ports = clock_and_reset()};
    u_accumulator.ports.insert(u_accumulator.ports.end(), {{"in_valid_i", name("sums_valid")},
                                                           {"in_first_i", name("sums_first")},
                                                           {"in_last_i", name("sums_last")},
                                                           {"in_data_i", name("sums")},
                                                           {"in_carry_i", name("carries")},
                                                           {"out_valid_o", nullptr},
                                                           {"out_data_o", nullptr}});
    add(std::move(u_accumulator));
  }

  /// Names what is deliberately not read, so that a linter's "unused" always means a mistake.
  void emit_unused() {
    std::vector<Expr> parts;
    parts.push_back(name("in_data_i"));
    parts.push_back(name("phase"));
    parts.push_back(name("next"));
    add(Comment{""});
    add(Signal{"unused"});
    add(Assign{name("unused"), expr(Unary{"^", expr(Concat{std::move(parts)})})});
  }

  const std::string name_;
  const std::string layers_;
  const AccumulateStage& stage_;
  const int64_t outputs_;
  std::vector<int64_t> offsets_;  // of the beat's elements
  int64_t in_bits_ = 0;
  Module module_;
};

}  // namespace

std::vector<Module> emit_accumulate(const std::string& module_name, const dataflow::Stage& stage,
                                    const AccumulateStage& accumulate) {
  return AccumulateEmitter(module_name, stage, accumulate).run();
}

}  // namespace millrace::verilog
