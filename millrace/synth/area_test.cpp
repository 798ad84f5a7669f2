// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/area.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/synth/messages.h"

namespace millrace::synth {
namespace {

std::string report(const std::string& cells) {
  return R"({"creator": "Yosys 0.23", "modules": {"\\top": {"num_cells": 9, "num_cells_by_type": {)" +
         cells + "}}}}";
}

TEST(ParseArea, AddsThePrimitives) {
  const auto area = parse_area(
      report(R"("LUT6": 5, "LUT2": 3, "INV": 1, "FDRE": 7, "FDSE": 1, "CARRY4": 2, "MUXF7": 9,
                "SRL16E": 2, "SRLC32E": 4, "RAM32M16": 1, "RAM128X1S": 3, "DSP48E2": 2,
                "RAMB18E2": 1, "RAMB36E2": 3, "BUFG": 1)"),
      "top");
  ASSERT_TRUE(area) << area.error().to_string();
  EXPECT_EQ(
      *area,
      (Area{.lut = 5 + 3 + 1 + 2 + 4 + 8 + 6, .ff = 8, .dsp = 2, .bram18 = 1 + 6, .carry = 2}));
}

TEST(ParseArea, ALutWithTwoOutputsIsOneLut) {
  const auto area = parse_area(report(R"("LUT6_2": 9, "CARRY8": 2)"), "top");
  ASSERT_TRUE(area) << area.error().to_string();
  EXPECT_EQ(*area, (Area{.lut = 9, .carry = 2}));
}

TEST(ParseArea, AnEmptyCircuitIsFree) {
  const auto area = parse_area(report(""), "top");
  ASSERT_TRUE(area);
  EXPECT_EQ(*area, Area{});
}

TEST(ParseArea, UnknownCellsAreErrorsNotZeros) {
  const auto area = parse_area(report(R"("LUT6": 5, "URAM288": 1, "$mul": 2)"), "top");
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().code, messages::UnknownCell.code);
  EXPECT_THAT(area.error().message, testing::HasSubstr("$mul, URAM288"));
}

TEST(ParseArea, RefusesWhatIsNotAReport) {
  for (const std::string& text :
       {std::string(), std::string("no JSON"), std::string("[]"), std::string("{}"),
        std::string(R"({"modules": {"\\top": {"num_cells_by_type": 3}}})"),
        report(R"("LUT6": "many")"), report(R"("LUT6": -1)")}) {
    const auto area = parse_area(text, "top");
    ASSERT_FALSE(area) << text;
    EXPECT_EQ(area.error().code, messages::NotAReport.code) << text;
  }
  EXPECT_FALSE(parse_area(report(""), "other"));
}

TEST(CellCost, KnowsAllDistributedMemoriesOfTheFamily) {
  // A memory's cost is at least its bits over 64.
  const std::pair<const char*, int64_t> memories[] = {
      {"RAM32M", 4},    {"RAM32M16", 8},  {"RAM64M", 4},     {"RAM64M8", 8},   {"RAM64X1S", 1},
      {"RAM64X1D", 2},  {"RAM128X1S", 2}, {"RAM128X1D", 4},  {"RAM256X1S", 4}, {"RAM256X1D", 8},
      {"RAM512X1S", 8}, {"RAM64X8SW", 8}, {"RAM32X16DR8", 8}};
  for (const auto& [cell, lut] : memories) {
    ASSERT_NE(find_cell_cost(cell), nullptr) << cell;
    EXPECT_EQ(*find_cell_cost(cell), (Area{.lut = lut})) << cell;
  }
}

}  // namespace
}  // namespace millrace::synth
