// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/npy.h"

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "millrace/support/files.h"
#include "millrace/support/temporary_directory.h"

namespace millrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The bytes of a number, lowest first or last.
template <class Number>
std::string bytes_of(Number number, bool is_big_endian = false) {
  std::string bytes(reinterpret_cast<const char*>(&number), sizeof number);
  const bool is_reversed = is_big_endian == (std::endian::native == std::endian::little);
  return is_reversed ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
}

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers, bool is_big_endian = false) {
  std::string bytes;
  for (const Number number : numbers)
    bytes += bytes_of(number, is_big_endian);
  return bytes;
}

// A .npy file with this header, padded as NumPy does it.
std::string file(std::string header, const std::string& data, int version = 1) {
  while ((header.size() + 11) % 64 != 0)
    header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += version == 1 ? bytes_of(static_cast<uint16_t>(header.size()))
                        : bytes_of(static_cast<uint32_t>(header.size()));
  return bytes + header + data;
}

std::string array(const std::string& type, const std::string& shape, const std::string& data,
                  bool fortran_order = false) {
  return file(fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type,
                          fortran_order ? "True" : "False", shape),
              data);
}

IntegerTable read(const std::string& bytes) {
  const auto table = parse_npy(bytes, "w.npy");
  EXPECT_TRUE(table.has_value()) << table.error().to_string();
  return table.value_or(IntegerTable{});
}

// What is wrong with the file: code and message.
std::string problem(const std::string& bytes) {
  const auto table = parse_npy(bytes, "w.npy");
  return table ? "nothing" : table.error().code + ": " + table.error().message;
}

TEST(Npy, IntegersOfAllWidthsInBothByteOrders) {
  const auto expect_read = [](auto example, const std::string& kind) {
    using Number = decltype(example);
    const std::vector<Number> numbers = {std::numeric_limits<Number>::min(), 7,
                                         std::numeric_limits<Number>::max(), 100};
    for (const bool is_big_endian : {false, true}) {
      const std::string type = (is_big_endian ? ">" : "<") + kind + std::to_string(sizeof(Number));
      const IntegerTable table = read(array(type, "(2, 2)", bytes_of(numbers, is_big_endian)));
      EXPECT_EQ(table.rows, 2);
      EXPECT_EQ(table.columns, 2);
      EXPECT_EQ(table.entries, std::vector<int64_t>(numbers.begin(), numbers.end())) << type;
    }
  };
  expect_read(int8_t{}, "i");
  expect_read(int16_t{}, "i");
  expect_read(int32_t{}, "i");
  expect_read(int64_t{}, "i");
  expect_read(uint8_t{}, "u");
  expect_read(uint16_t{}, "u");
  expect_read(uint32_t{}, "u");
}

TEST(Npy, SingleBytesHaveNoOrder) {
  EXPECT_THAT(read(array("|i1", "(1, 2)", "\x80\x7f")).entries, ElementsAre(-128, 127));
  EXPECT_THAT(read(array("|b1", "(1, 3)", std::string("\1\0\1", 3))).entries, ElementsAre(1, 0, 1));
}

TEST(Npy, UnsignedNumbersAboveSixtyThreeBitsAreTooWide) {
  const uint64_t largest = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(read(array("<u8", "(1, 1)", bytes_of(largest))).entries, ElementsAre(INT64_MAX));
  EXPECT_EQ(
      problem(array("<u8", "(1, 2)", bytes_of(std::vector<uint64_t>{1, largest + 1}))),
      "data.npy_too_wide: row 0, column 1 is 9223372036854775808, which does not fit 64 bits");
}

TEST(Npy, RealNumbersMustBeIntegers) {
  EXPECT_THAT(read(array("<f8", "(1, 3)", bytes_of(std::vector<double>{-3, 0x1p62, -0.0}))).entries,
              ElementsAre(-3, int64_t{1} << 62, 0));
  EXPECT_THAT(read(array(">f4", "(1, 2)", bytes_of(std::vector<float>{-128, 1e6F}, true))).entries,
              ElementsAre(-128, 1000000));
  // 1, -2, 65504 (the largest), 0 and -1024.
  const std::vector<uint16_t> halves = {0x3c00, 0xc000, 0x7bff, 0x8000, 0xe400};
  EXPECT_THAT(read(array("<f2", "(1, 5)", bytes_of(halves))).entries,
              ElementsAre(1, -2, 65504, 0, -1024));
  EXPECT_EQ(problem(array("<f8", "(2, 1)", bytes_of(std::vector<double>{1, 2.5}))),
            "data.npy_not_integer: row 1, column 0 is 2.5, which is not an integer");
  for (const double number : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e-300, 0.1})
    EXPECT_THAT(problem(array("<f8", "(1, 1)", bytes_of(number))),
                HasSubstr("data.npy_not_integer"));
  for (const uint16_t half :
       std::vector<uint16_t>{0x7c00, 0xfe00, 0x0001, 0x3800})  // inf, NaN, 2^-24, 1/2
    EXPECT_THAT(problem(array("<f2", "(1, 1)", bytes_of(half))), HasSubstr("data.npy_not_integer"));
  EXPECT_THAT(read(array("<f8", "(1, 1)", bytes_of(-0x1p63))).entries, ElementsAre(INT64_MIN));
  EXPECT_THAT(problem(array("<f8", "(1, 1)", bytes_of(0x1p63))), HasSubstr("data.npy_too_wide"));
}

TEST(Npy, FortranOrderIsColumnAfterColumn) {
  const IntegerTable table =
      read(array("<i2", "(2, 3)", bytes_of(std::vector<int16_t>{1, 4, 2, 5, 3, 6}), true));
  EXPECT_THAT(table.entries, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(table.at(1, 0), 4);
}

TEST(Npy, LaterVersionsHaveLongerHeaders) {
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1), }";
  for (const int version : {1, 2, 3})
    EXPECT_THAT(read(file(header, bytes_of(int32_t{-5}), version)).entries, ElementsAre(-5));
  EXPECT_EQ(problem(file(header, bytes_of(int32_t{-5}), 4)),
            "data.npy_version: version 4.0 of the .npy format is not known");
  // More than 16 bits can count.
  EXPECT_THAT(read(file(header + std::string(100000, ' '), bytes_of(int32_t{8}), 2)).entries,
              ElementsAre(8));
}

TEST(Npy, EmptyArraysAreArrays) {
  for (const char* shape : {"(0, 3)", "(0, 0)", "(3, 0)"})
    EXPECT_TRUE(read(array("<i4", shape, "")).entries.empty());
  EXPECT_EQ(read(array("<i4", "(0, 3)", "")).columns, 3);
}

TEST(Npy, HeadersMayBeWrittenInOtherWays) {
  for (const char* header :
       {"{'shape': (1, 1), 'descr': '<i1', 'fortran_order': True}",
        "{\"descr\":\"<i1\",\"fortran_order\":False,\"shape\":(1,1,)}",
        " { 'descr' : '<i1' , 'fortran_order' : False , 'shape' : ( 1 , 1 ) } "})
    EXPECT_THAT(read(file(header, "\x03")).entries, ElementsAre(3)) << header;
}

TEST(Npy, DamagedHeaders) {
  for (const char* header :
       {"",
        "[]",
        "{",
        "{}",
        "{'descr': '<i1'}",
        "{'descr': '<i1', 'fortran_order': False}",
        "{'descr': '<i1', 'descr': '<i1', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1, 1), 'more': 1}",
        "{'descr': 7, 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<i1', 'fortran_order': 0, 'shape': (1, 1)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (-1, 1)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1, 1}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1, 99999999999999999999)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1, 1)} and more",
        "{'descr': '<i1', 'fortran_order': False, 'shape': (1, 1)",
        "{'descr': '<i1' 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<i1, 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '\\x3ci1', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': [[[, 'fortran_order': False, 'shape': (1, 1)}"})
    EXPECT_THAT(problem(file(header, "\x03")), HasSubstr("data.npy_header")) << header;
}

TEST(Npy, ArraysOfObjectsAreRaggedOnes) {
  EXPECT_THAT(problem(array("|O", "(2,)", "\x80\x04pickled")), HasSubstr("data.npy_objects"));
}

TEST(Npy, OtherTypes) {
  for (const char* type : {"<c8", "<U4", "|S1", "|V8", "<M8", "<f9", "<i3", "<i16", "|i8", "=i4",
                           "<b2", "<f1", "", "i4", "\x1b[31m"})
    EXPECT_THAT(problem(array(type, "(1, 1)", std::string(16, '\0'))), HasSubstr("data.npy_type"))
        << type;
  EXPECT_EQ(problem(array("\x1b[31m", "(1, 1)", "")),
            "data.npy_type: the array's entries are of type of an unreadable name");
  EXPECT_THAT(
      problem(file("{'descr': [('a', '<i4'), ('b', '<f4', (2, 2))], 'fortran_order': False, "
                   "'shape': (1, 1), }",
                   "")),
      HasSubstr("data.npy_type"));
}

TEST(Npy, TwoDimensionsAreNeeded) {
  EXPECT_THAT(problem(array("<i4", "()", "    ")), HasSubstr("data.npy_dimensions"));
  EXPECT_THAT(problem(array("<i4", "(1,)", "    ")), HasSubstr("the shape 1,"));
  EXPECT_THAT(problem(array("<i4", "(1, 1, 1)", "    ")), HasSubstr("the shape 1 x 1 x 1,"));
}

TEST(Npy, TheSizeIsComparedBeforeAnythingIsAllocated) {
  EXPECT_EQ(problem(array("<i4", "(8192, 8192)", "")),
            "data.wrong_size: the header announces 268435456 bytes of data, the file holds 0");
  EXPECT_THAT(problem(array("<i4", "(2, 2)", std::string(15, '\0'))), HasSubstr("data.wrong_size"));
  EXPECT_THAT(problem(array("<i4", "(2, 2)", std::string(17, '\0'))), HasSubstr("data.wrong_size"));
  for (const char* shape : {"(1048576, 1048576)", "(0, 9223372036854775807)", "(268435456, 1)",
                            "(9223372036854775807, 9223372036854775807)"})
    EXPECT_THAT(problem(array("<i8", shape, "")), HasSubstr("data.npy_too_large")) << shape;
}

TEST(Npy, EveryTruncationIsNoticed) {
  const std::string whole = array("<i2", "(2, 2)", bytes_of(std::vector<int16_t>{1, 2, 3, 4}));
  EXPECT_EQ(problem(whole), "nothing");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(problem(whole.substr(0, length)), "nothing") << length;
  EXPECT_THAT(problem(whole.substr(0, 5)), HasSubstr("data.not_npy"));
  EXPECT_THAT(problem(whole.substr(0, 7)), HasSubstr("data.npy_header"));
  EXPECT_THAT(problem(whole.substr(0, 9)), HasSubstr("data.npy_header"));
  EXPECT_THAT(problem(whole.substr(0, 40)), HasSubstr("data.npy_header"));
  EXPECT_THAT(problem("PK\3\4 an archive"), HasSubstr("data.not_npy"));
}

TEST(Npy, DamagedBytesGiveATableOrADiagnostic) {
  const std::string whole = array("<i2", "(2, 2)", bytes_of(std::vector<int16_t>{1, 2, 3, 4}));
  std::mt19937_64 random(1);
  int num_read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 1 + round % 3; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (const auto table = parse_npy(damaged, "w.npy")) {
      ++num_read;
      ASSERT_EQ(table->entries.size(),
                static_cast<size_t>(table->rows) * static_cast<size_t>(table->columns));
    }
  }
  EXPECT_GT(num_read, 100);  // damage in the data is none
}

TEST(Npy, ReadsFiles) {
  const TemporaryDirectory directory = TemporaryDirectory::create("millrace-npy").value();
  const std::filesystem::path path = directory.path() / "w.npy";
  ASSERT_TRUE(write_file(path, array("|u1", "(1, 1)", "\xff")).has_value());
  const auto table = read_npy(path);
  const auto missing = read_npy(path.string() + ".gone");
  ASSERT_TRUE(table.has_value()) << table.error().to_string();
  EXPECT_THAT(table->entries, ElementsAre(255));
  EXPECT_EQ(missing.error().code, "support.file_missing");
}

TEST(Npy, RealArraysHaveAnyRankAndOrder) {
  const auto rows = parse_real_npy(
      array("<f4", "(2, 1, 2)", bytes_of(std::vector<float>{0.5, -1, 2, 1e30F})), "x.npy");
  ASSERT_TRUE(rows) << rows.error().to_string();
  EXPECT_EQ(rows->shape, (Shape{2, 1, 2}));
  EXPECT_THAT(rows->data, ElementsAre(0.5, -1, 2, 1e30F));
  // Element (i, j, k) is 100 i + 10 j + k; the first index varies fastest in the file.
  std::vector<int16_t> columns;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i)
        columns.push_back(static_cast<int16_t>(100 * i + 10 * j + k));
  const auto fortran = parse_real_npy(array("<i2", "(2, 3, 2)", bytes_of(columns), true), "x.npy");
  ASSERT_TRUE(fortran) << fortran.error().to_string();
  EXPECT_THAT(fortran->data, ElementsAre(0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121));
  const auto scalar = parse_real_npy(array("|u1", "()", "\x07"), "x.npy");
  ASSERT_TRUE(scalar) << scalar.error().to_string();
  EXPECT_THAT(scalar->data, ElementsAre(7));
}

TEST(Npy, SizesOfRealArraysAreComparedBeforeAnythingIsAllocated) {
  const auto code = [](const std::string& shape) {
    const auto tensor = parse_real_npy(array("<f8", shape, "12345678"), "x.npy");
    return tensor ? "nothing" : tensor.error().code;
  };
  EXPECT_EQ(code("(1, 1)"), "nothing");
  EXPECT_EQ(code("(2, 1)"), "data.wrong_size");
  EXPECT_EQ(code("(0,)"), "data.wrong_size");
  EXPECT_EQ(code("(4294967296, 4294967296, 4)"), "data.npy_too_many_entries");
  EXPECT_EQ(code("(134217729,)"), "data.npy_too_many_entries");
}

TEST(Npy, WhatIsWrittenIsReadAgain) {
  const FloatTensor real{{2, 1, 3}, {0.5, -1e300, 3, 4, 5, 6}};
  const std::string bytes = npy_bytes(real);
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\0\x76\0", 10));
  EXPECT_EQ(bytes.size(), 128U + 48U);
  EXPECT_THAT(bytes, HasSubstr("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 3, ), }"));
  EXPECT_EQ(*parse_real_npy(bytes, "x.npy"), real);
  const IntTensor integers{{2, 2}, {INT64_MIN, -1, 0, INT64_MAX}};
  EXPECT_EQ(read(npy_bytes(integers)).entries, integers.data);
}

}  // namespace
}  // namespace millrace::data
