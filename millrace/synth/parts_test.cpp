// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "millrace/synth/messages.h"

namespace millrace::synth {
namespace {

TEST(FindPart, KnowsThePartOfThePublishedDesign) {
  const auto part = find_part("xcku115-flvb2104-2-i");
  ASSERT_TRUE(part) << part.error().to_string();
  EXPECT_EQ(part->device, "xcku115");
  EXPECT_EQ(part->family, "xcu");
  EXPECT_EQ(part->holds, (Area{.lut = 663'360, .ff = 1'326'720, .dsp = 5'520, .bram18 = 4'320}));
}

TEST(FindPart, TakesTheDeviceNameAndCapitals) {
  for (const char* name : {"xcku115", "XCKU115", "XCKU115-FLVB2104-2-I"}) {
    const auto part = find_part(name);
    ASSERT_TRUE(part) << name;
    EXPECT_EQ(part->name, "xcku115-flvb2104-2-i");
  }
}

TEST(FindPart, NamesTheNearest) {
  const auto part = find_part("xcku116");
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().code, messages::UnknownPart.code);
  EXPECT_THAT(part.error().message, testing::HasSubstr("the nearest are xcku115-flvb2104-2-i, "));
  EXPECT_FALSE(find_part(""));
}

TEST(LoadParts, EveryRowIsPlausible) {
  const auto parts = load_parts();
  ASSERT_TRUE(parts) << parts.error().to_string();
  std::set<std::string> names;
  for (const Part& part : *parts) {
    EXPECT_TRUE(names.insert(part.name).second) << part.name;
    EXPECT_THAT(part.family, testing::AnyOf("xcu", "xcup")) << part.name;
    EXPECT_EQ(part.holds.ff, 2 * part.holds.lut) << part.name;
    EXPECT_GT(part.holds.dsp, 0) << part.name;
    EXPECT_EQ(part.holds.bram18 % 2, 0) << part.name;
  }
}

TEST(ParseParts, RefusesADamagedTable) {
  for (const char* text : {"", "{}", R"({"parts": [{"name": "x"}]})", R"({"parts": 3})"}) {
    const auto parts = parse_parts(text, "parts.json");
    ASSERT_FALSE(parts) << text;
    EXPECT_EQ(parts.error().code, messages::DamagedParts.code);
  }
}

TEST(Utilisation, IsUsedOverHeld) {
  const Part part{"p", "p", "xcu", {.lut = 1000, .ff = 2000, .dsp = 0, .bram18 = 10}};
  const Utilisation used = utilisation({.lut = 250, .ff = 2000, .bram18 = 1}, part);
  EXPECT_EQ(used.lut, 0.25);
  EXPECT_EQ(used.ff, 1.0);
  EXPECT_EQ(used.dsp, 0.0);
  EXPECT_EQ(used.bram18, 0.1);
  EXPECT_EQ(used.highest(), 1.0);
  EXPECT_GT(utilisation({.dsp = 1}, part).highest(), 1.0);
}

}  // namespace
}  // namespace millrace::synth
