// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/identifier.h"

#include <gtest/gtest.h>

namespace millrace::dataflow {
namespace {

TEST(Identifier, OtherCharactersBecomeUnderscores) {
  EXPECT_EQ(identifier("conv1.relu"), "conv1_relu");
  EXPECT_EQ(identifier("2nd"), "net_2nd");
  EXPECT_EQ(identifier(""), "net_");
}

TEST(Identifier, AModuleIsNeverAKeywordNorOneOfTheLibrary) {
  EXPECT_EQ(module_identifier("letters"), "letters");
  EXPECT_EQ(module_identifier("small"), "net_small");
  EXPECT_EQ(module_identifier("module"), "net_module");
  EXPECT_EQ(module_identifier("xor"), "net_xor");
  EXPECT_EQ(module_identifier("mr_window"), "net_mr_window");
}

}  // namespace
}  // namespace millrace::dataflow
