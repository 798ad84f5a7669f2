// SPDX-License-Identifier: Apache-2.0
// What the user wishes for single layers, and what the circuit may take.
#include <algorithm>

#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/planner.h"

namespace millrace::dataflow {

using graph::Op;

namespace {

/// Refuses the areas of stages whose sum is above the limit.
Status check_areas(const std::vector<Stage>& stages, const std::vector<AreaEstimate>& areas,
                   const AreaLimit& limit, const std::string& where) {
  AreaEstimate sum;
  for (const AreaEstimate& area : areas)
    sum += area;
  const auto refuse = [&](const char* resource, int64_t AreaEstimate::* member, int64_t held) {
    const auto largest = std::max_element(
        areas.begin(), areas.end(),
        [&](const AreaEstimate& a, const AreaEstimate& b) { return a.*member < b.*member; });
    const Stage& stage = stages[static_cast<size_t>(largest - areas.begin())];
    return error(messages::CircuitTooLarge, where, sum.*member, resource, limit.holder, held,
                 std::string("the ") + std::string(kind_name(stage.kind)), stage.name,
                 *largest.*member);
  };
  if (sum.lut > limit.lut)
    return refuse("LUTs", &AreaEstimate::lut, limit.lut);
  if (sum.ff > limit.ff)
    return refuse("FFs", &AreaEstimate::ff, limit.ff);
  if (sum.dsp > limit.dsp)
    return refuse("DSPs", &AreaEstimate::dsp, limit.dsp);
  if (sum.bram18 > limit.bram18)
    return refuse("BRAM18s", &AreaEstimate::bram18, limit.bram18);
  return {};
}

}  // namespace

Status check_fits(const Circuit& circuit, const AreaLimit& limit, const std::string& where) {
  std::vector<AreaEstimate> areas;
  for (const Stage& stage : circuit.stages)
    areas.push_back(estimate_area(circuit, stage));
  return check_areas(circuit.stages, areas, limit, where);
}

template <class T>
std::optional<T> Planner::layer_option(const Op& op, std::optional<T> LayerOptions::* option,
                                       const char* name) {
  const auto layer = options_.layers.find(op.name);
  if (layer == options_.layers.end() || !(layer->second.*option))
    return std::nullopt;
  used_options_.insert({op.name, name});
  return layer->second.*option;
}

template std::optional<int> Planner::layer_option(const Op&, std::optional<int> LayerOptions::*,
                                                  const char*);
template std::optional<int64_t> Planner::layer_option(const Op&,
                                                      std::optional<int64_t> LayerOptions::*,
                                                      const char*);

BlockUse Planner::dsp_use(const Op& op) {
  const BlockUse wanted = layer_option(op, &LayerOptions::dsp, "dsp").value_or(options_.dsp);
  return has_dsp_blocks(options_.delay_family) ? wanted : BlockUse::Never;
}

bool Planner::uses_block_ram(const WindowGeometry& geometry) const {
  if (options_.bram == BlockUse::Never || geometry.beats < 2 || geometry.window.extent_h() < 2)
    return false;
  const AreaEstimate in_luts = line_buffer_area(geometry, false);
  const AreaEstimate in_blocks = line_buffer_area(geometry, true);
  return options_.bram == BlockUse::Prefer ||
         in_luts.lut >= in_blocks.bram18 * options_.luts_per_bram;
}

bool Planner::uses_three_input_adders(std::span<const MapStep> steps) {
  std::optional<bool> wanted;
  for (const MapStep& step : steps)
    if (const auto own = layer_option(*step.op, &LayerOptions::three_input_adders, "adders"))
      wanted = wanted.value_or(*own);
  return wanted.value_or(options_.three_input_adders);
}

Status Planner::check_layer_options() const {
  for (const auto& [name, layer] : options_.layers) {
    const std::pair<const char*, bool> options[] = {
        {"effort", layer.effort.has_value()},
        {"adders", layer.three_input_adders.has_value()},
        {"phases", layer.phases.has_value()},
        {"lanes", layer.lanes.has_value()},
        {"dsp", layer.dsp.has_value()}};
    for (const auto& [option, is_said] : options)
      if (is_said && !used_options_.contains({name, option}))
        return error(messages::LayerOptionUnused, "layer '" + name + "'", option);
  }
  return {};
}

Status Planner::check_limit() const {
  return check_areas(circuit_.stages, areas_, options_.limit, "--part");
}

}  // namespace millrace::dataflow
