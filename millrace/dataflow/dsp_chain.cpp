// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/dsp_chain.h"

#include <algorithm>
#include <map>

#include "millrace/dataflow/messages.h"
#include "millrace/fixed/fixed_type.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using adders::Range;

int width_of(const Range& range) {
  return narrowest_type(range.lo, range.hi, 0).value().width;
}

/// Of two's complement.
int signed_width(const Range& range) {
  return width_of({std::min<Int128>(range.lo, -1), range.hi});
}

class ChainMaker {
public:
  explicit ChainMaker(const DspRequest& request) : request_(request) {}

  std::optional<std::vector<DspChain>> run() {
    for (int result = 0; result < request_.results; ++result) {
      if (result + 1 < request_.results && append(result, result + 1)) {
        ++result;
        continue;
      }
      if (!append(result, -1))
        return std::nullopt;
    }
    return std::move(chains_);
  }

private:
  int64_t weight(int result, size_t place, int64_t step) const {
    return result < 0 ? 0 : request_.weight(result, place, step);
  }

  std::vector<size_t> needed_places(int first, int second) const {
    std::vector<size_t> places;
    for (size_t place = 0; place < request_.places; ++place)
      for (int64_t step = 0; step < request_.steps; ++step)
        if (weight(first, place, step) != 0 || weight(second, place, step) != 0) {
          places.push_back(place);
          break;
        }
    return places;
  }

  /// Appends the chains of a result, or of two packed; none of them where a product does not fit.
  bool append(int first, int second) {
    const std::vector<size_t> places = needed_places(first, second);
    const size_t least = (places.size() + MaxChainBlocks - 1) / MaxChainBlocks;
    const size_t most_blocks = least == 0 ? 0 : (places.size() + least - 1) / least;
    std::vector<DspChain> chains;
    for (size_t begin = 0; begin < places.size();) {
      // The fields change places from chain to chain: each result has its share of what is
      // borrowed, and the first of it costs nothing.
      const bool is_swapped = second >= 0 && chains.size() % 2 == 1;
      const int low = is_swapped ? second : first;
      const int high = is_swapped ? first : second;
      std::optional<DspChain> longest;
      size_t end = begin;
      while (end < std::min(begin + most_blocks, places.size())) {
        auto longer = chain(low, high, std::span(places).subspan(begin, end + 1 - begin));
        if (!longer)
          break;
        longest = std::move(longer);
        ++end;
      }
      if (!longest)
        return false;
      chains.push_back(*std::move(longest));
      begin = end;
    }
    std::move(chains.begin(), chains.end(), std::back_inserter(chains_));
    return true;
  }

  /// The range of a result's sum over some places, at any step.
  Range sum_range(int result, std::span<const size_t> places) const {
    std::optional<Range> all;
    for (int64_t step = 0; step < request_.steps; ++step) {
      Range sum;
      for (const size_t place : places) {
        const Int128 factor = weight(result, place, step);
        if (factor == 0)
          continue;
        const Range x = request_.range(place, step);
        sum.lo += std::min(factor * x.lo, factor * x.hi);
        sum.hi += std::max(factor * x.lo, factor * x.hi);
      }
      all = all ? Range{std::min(all->lo, sum.lo), std::max(all->hi, sum.hi)} : sum;
    }
    return all.value();
  }

  /// The chain of these places; none where an operand does not fit.
  std::optional<DspChain> chain(int low, int high, std::span<const size_t> places) const {
    DspChain chain{.blocks = {},
                   .low_result = low,
                   .high_result = high,
                   .low = sum_range(low, places),
                   .high = {}};
    if (chain.is_packed()) {
      chain.high = sum_range(high, places);
      chain.high.lo -= chain.borrows() ? 1 : 0;
      if (chain.low_bits() > DspWeightBits)
        return std::nullopt;
    }
    for (const size_t place : places) {
      DspBlock block{.place = place, .weights = {}};
      for (int64_t step = 0; step < request_.steps; ++step) {
        const Int128 above =
            chain.is_packed() ? Int128{weight(high, place, step)} << chain.low_bits() : Int128{0};
        const Int128 packed = above + weight(low, place, step);
        if (signed_width({packed, packed}) > DspWeightBits)
          return std::nullopt;
        block.weights.push_back(static_cast<int64_t>(packed));
        if (packed != 0 && signed_width(request_.range(place, step)) > DspFactorBits)
          return std::nullopt;
      }
      chain.blocks.push_back(std::move(block));
    }
    return chain;
  }

  const DspRequest& request_;
  std::vector<DspChain> chains_;
};

}  // namespace

int DspChain::low_bits() const {
  return width_of(low);
}

int DspChain::sum_bits() const {
  return low_bits() + (is_packed() ? width_of(high) : 0);
}

std::optional<std::vector<DspChain>> make_dsp_chains(const DspRequest& request) {
  return ChainMaker(request).run();
}

std::vector<Int128> evaluate(const DspChain& chain, std::span<const Int128> places, int64_t step) {
  Int128 sum = 0;
  for (const DspBlock& block : chain.blocks)
    sum += block.weights[static_cast<size_t>(step)] * places[block.place];
  if (!chain.is_packed())
    return {sum};
  // The fields as the hardware takes them apart.
  const Int128 field = sum & ((Int128{1} << chain.low_bits()) - 1);
  const Int128 above = sum >> chain.low_bits();
  if (!chain.borrows())
    return {field, above};
  const Int128 borrowed = (field >> (chain.low_bits() - 1)) & 1;
  return {field - (borrowed << chain.low_bits()), above, borrowed};
}

int cascade_depth(std::span<const DspChain> chains) {
  size_t depth = 0;
  for (const DspChain& chain : chains)
    depth = std::max(depth, chain.blocks.size());
  return static_cast<int>(depth);
}

int cascade_latency_cycles(std::span<const DspChain> chains) {
  constexpr int OfTheLastBlock = 3;
  return chains.empty() ? 0 : cascade_depth(chains) - 1 + OfTheLastBlock;
}

int64_t count_blocks(std::span<const DspChain> chains) {
  int64_t blocks = 0;
  for (const DspChain& chain : chains)
    blocks += std::ssize(chain.blocks);
  return blocks;
}

int block_delay(std::span<const DspChain> chains, const DspChain& chain, size_t index) {
  return cascade_depth(chains) - static_cast<int>(chain.blocks.size() - index);
}

int weight_bits(const DspChain& chain) {
  Range all;
  for (const DspBlock& block : chain.blocks)
    for (const int64_t weight : block.weights)
      all = {std::min<Int128>(all.lo, weight), std::max<Int128>(all.hi, weight)};
  return signed_width(all);
}

DspWeights dsp_weights(std::span<const DspChain> chains, int delay) {
  DspWeights memory;
  std::map<std::vector<bool>, int> known;
  for (const DspChain& chain : chains) {
    std::vector<DspWeights::Bit>& bits = memory.bits.emplace_back();
    const int index = delay - block_delay(chains, chain, 0);
    if (index < 0)
      continue;
    const std::vector<int64_t>& weights = chain.blocks[static_cast<size_t>(index)].weights;
    for (int bit = 0; bit < weight_bits(chain); ++bit) {
      std::vector<bool> line;
      for (const int64_t weight : weights)
        line.push_back(((weight >> bit) & 1) != 0);
      if (std::find(line.begin(), line.end(), !line.front()) == line.end()) {
        bits.push_back({.line = -1, .value = line.front()});
        continue;
      }
      const auto [place, is_new] = known.try_emplace(line, static_cast<int>(memory.lines.size()));
      if (is_new)
        memory.lines.push_back(std::move(line));
      bits.push_back({.line = place->second});
    }
  }
  return memory;
}

bool has_dsp_blocks(std::string_view family) {
  return family == "xcu" || family == "xcup";
}

Status check_dsp_blocks(const std::string& family, const std::string& where) {
  if (has_dsp_blocks(family))
    return {};
  return error(messages::NoDspBlocks, where, family, "xcu or xcup");
}

}  // namespace millrace::dataflow
