// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/area.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "millrace/synth/messages.h"

namespace millrace::synth {
namespace {

struct CellCost {
  std::string_view cell;
  Area area;
};

constexpr Area luts(int64_t count) {
  return {.lut = count};
}
constexpr Area Register{.ff = 1};
constexpr Area Carry{.carry = 1};
constexpr Area Dsp{.dsp = 1};
constexpr Area Free{};

// Clock and pin buffers, the constants and the wide multiplexers stand beside the LUTs of a slice.
// An inverter is a LUT: the vendor's tool may absorb it, which is not ours to promise.
constexpr std::array Cells{
    // Logic.
    CellCost{"LUT1", luts(1)},
    CellCost{"LUT2", luts(1)},
    CellCost{"LUT3", luts(1)},
    CellCost{"LUT4", luts(1)},
    CellCost{"LUT5", luts(1)},
    CellCost{"LUT6", luts(1)},
    CellCost{"LUT6_2", luts(1)},
    CellCost{"INV", luts(1)},
    CellCost{"MUXF7", Free},
    CellCost{"MUXF8", Free},
    CellCost{"MUXF9", Free},
    CellCost{"CARRY4", Carry},
    CellCost{"CARRY8", Carry},
    // Registers.
    CellCost{"FDRE", Register},
    CellCost{"FDRE_1", Register},
    CellCost{"FDSE", Register},
    CellCost{"FDSE_1", Register},
    CellCost{"FDCE", Register},
    CellCost{"FDCE_1", Register},
    CellCost{"FDPE", Register},
    CellCost{"FDPE_1", Register},
    // LUTs as shift registers.
    CellCost{"SRL16E", luts(1)},
    CellCost{"SRLC16E", luts(1)},
    CellCost{"SRLC32E", luts(1)},
    // LUTs as memory; each holds 64 bits with one port, and a further read port is a copy.
    CellCost{"RAM32X1S", luts(1)},
    CellCost{"RAM32X1D", luts(2)},
    CellCost{"RAM32M", luts(4)},
    CellCost{"RAM32M16", luts(8)},
    CellCost{"RAM32X16DR8", luts(8)},
    CellCost{"RAM64X1S", luts(1)},
    CellCost{"RAM64X1D", luts(2)},
    CellCost{"RAM64M", luts(4)},
    CellCost{"RAM64M8", luts(8)},
    CellCost{"RAM64X8SW", luts(8)},
    CellCost{"RAM128X1S", luts(2)},
    CellCost{"RAM128X1D", luts(4)},
    CellCost{"RAM256X1S", luts(4)},
    CellCost{"RAM256X1D", luts(8)},
    CellCost{"RAM512X1S", luts(8)},
    // Blocks.
    CellCost{"DSP48E1", Dsp},
    CellCost{"DSP48E2", Dsp},
    CellCost{"RAMB18E1", {.bram18 = 1}},
    CellCost{"RAMB18E2", {.bram18 = 1}},
    CellCost{"RAMB36E1", {.bram18 = 2}},
    CellCost{"RAMB36E2", {.bram18 = 2}},
    // Outside the fabric.
    CellCost{"BUFG", Free},
    CellCost{"IBUF", Free},
    CellCost{"OBUF", Free},
    CellCost{"VCC", Free},
    CellCost{"GND", Free},
};

void add(Area& sum, const Area& area, int64_t count) {
  sum.lut += area.lut * count;
  sum.ff += area.ff * count;
  sum.dsp += area.dsp * count;
  sum.bram18 += area.bram18 * count;
  sum.carry += area.carry * count;
}

}  // namespace

const Area* find_cell_cost(std::string_view cell) {
  const auto* row = std::find_if(Cells.begin(), Cells.end(),
                                 [&](const CellCost& known) { return known.cell == cell; });
  return row == Cells.end() ? nullptr : &row->area;
}

Result<Area> parse_area(const std::string& stat_json, const std::string& top) {
  const auto report = nlohmann::json::parse(stat_json, nullptr, /*allow_exceptions=*/false);
  if (report.is_discarded())
    return error(messages::NotAReport, "", "it is not JSON");
  const nlohmann::json::json_pointer place("/modules/\\" + top + "/num_cells_by_type");
  if (!report.is_object() || !report.contains(place) || !report.at(place).is_object())
    return error(messages::NotAReport, "", "no cells of module " + top);
  Area sum;
  std::string unknown;
  for (const auto& [cell, count] : report.at(place).items()) {
    if (!count.is_number_unsigned())
      return error(messages::NotAReport, "", "the number of " + cell + " is none");
    if (const Area* cost = find_cell_cost(cell))
      add(sum, *cost, count.get<int64_t>());
    else
      unknown += (unknown.empty() ? "" : ", ") + cell;
  }
  if (!unknown.empty())
    return error(messages::UnknownCell, top, unknown);
  return sum;
}

}  // namespace millrace::synth
