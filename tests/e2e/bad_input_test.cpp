// SPDX-License-Identifier: Apache-2.0
// What users get wrong: one diagnostic, exit code 1, nothing left behind.
#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>

#include "millrace_program.h"

#include "millrace/support/files.h"

namespace millrace::e2e {
namespace {

namespace fs = std::filesystem;

class BadInput : public ProgramTest {
protected:
  std::string model() const { return source("tests/text/letters.mr"); }

  // An IDX set of two 28 x 28 images a file, without gzip, under `name`.
  void write_images(const std::string& name, const std::string& magic, uint8_t labels,
                    size_t missing_bytes = 0) const {
    fs::create_directory(folder() / name);
    using namespace std::string_literals;
    for (const char* part : {"train", "test"}) {
      std::string pixels = magic + "\0\0\0\2\0\0\0\x1c\0\0\0\x1c"s + std::string(2 * 784, 'x');
      pixels.resize(pixels.size() - missing_bytes);
      write(name + "/set-" + part + "-images-idx3-ubyte", pixels);
      std::string classes = "\0\0\x8\1\0\0\0"s + static_cast<char>(labels);
      for (uint8_t i = 0; i < labels; ++i)
        classes += static_cast<char>(1 + i % 2);
      write(name + "/set-" + part + "-labels-idx1-ubyte", classes);
    }
  }
  const std::string magic_ = std::string("\0\0\x8\3", 4);
};

TEST_F(BadInput, MissingFiles) {
  expect_refused({"inspect", "no.onnx"}, "support.file_missing");
  expect_refused({"compile", "no.onnx", "-o", "out"}, "support.file_missing");
  expect_refused({"emulate", "no.mr", "--data", "glyphs"}, "support.file_missing");
  expect_refused({"emulate", model(), "--data", "no/such/folder"}, "data.no_such_path");
}

TEST_F(BadInput, NotABuildDirectory) {
  fs::create_directory(folder() / "empty");
  for (const char* command : {"emulate", "simulate", "synth", "report"})
    expect_refused({command, "empty"}, "report.not_a_build");
}

TEST_F(BadInput, DamagedRecord) {
  ASSERT_EQ(run_program({"compile", model(), "-o", "out"}).exit_code, 0);
  write("out/plan.json", "{\"lanes\": 4,");
  expect_refused({"report", "out"}, "report.bad_record");
  expect_refused({"synth", "out"}, "report.bad_record");
}

TEST_F(BadInput, NotAnOnnxFile) {
  write("text.onnx", "this is not a model");
  expect_refused({"inspect", "text.onnx"}, "frontends.onnx.not_onnx");
  expect_refused({"compile", "text.onnx", "-o", "out"}, "frontends.onnx.not_onnx");
}

TEST_F(BadInput, WidthAboveSixtyFour) {
  expect_refused({"compile", source("tests/errors/width_out_of_range.mr"), "-o", "out"},
                 "fixed.width_out_of_range");
}

TEST_F(BadInput, LanesOutsideTheRow) {
  for (const char* lanes : {"0", "-1", "29"})
    expect_refused({"compile", model(), "--lanes", lanes, "-o", "out"},
                   "dataflow.lanes_out_of_range");
}

TEST_F(BadInput, LanesThatAreNoNumberOfPixels) {
  for (const char* lanes : {"x", "many", "4x", "2.5"})
    expect_refused({"compile", model(), "--lanes", lanes, "-o", "out"}, "cli.bad_lanes");
  expect_refused({"compile", model(), "--lanes", "2x14", "-o", "out"},
                 "dataflow.rows_out_of_range");
}

TEST_F(BadInput, Goals) {
  expect_refused({"compile", model(), "--latency", "soon", "-o", "out"}, "cli.bad_time");
  expect_refused({"compile", model(), "--interval", "0cycles", "-o", "out"}, "cli.bad_time");
  expect_refused({"compile", model(), "--max-lut", "0", "-o", "out"}, "cli.bad_area");
  expect_refused({"compile", model(), "--lanes", "4", "--latency", "10cycles", "-o", "out"},
                 "dataflow.wish_unmet");
  expect_refused({"compile", model(), "--lanes", "4", "--max-lut", "100", "-o", "out"},
                 "dataflow.wish_unmet");
}

TEST_F(BadInput, OptionsOfLayers) {
  expect_refused({"compile", model(), "--overrides", "no.yaml", "-o", "out"},
                 "support.file_missing");
  write("form.yaml", "layers: [conv1]\n");
  expect_refused({"compile", model(), "--overrides", "form.yaml", "-o", "out"},
                 "cli.bad_overrides");
  write("name.yaml", "layers: {convl: {effort: 2}}\n");
  expect_refused({"compile", model(), "--overrides", "name.yaml", "-o", "out"},
                 "cli.unknown_override");
  write("unused.yaml", "layers: {conv1: {dsp: prefer}}\n");
  expect_refused({"compile", model(), "--overrides", "unused.yaml", "-o", "out"},
                 "dataflow.layer_option_unused");
}

TEST_F(BadInput, UnknownPart) {
  expect_refused({"compile", model(), "--part", "xcku116", "-o", "out"}, "synth.unknown_part");
}

TEST_F(BadInput, Clock) {
  expect_refused({"compile", model(), "--clock", "fast", "-o", "out"}, "cli.bad_clock");
  expect_refused({"compile", model(), "--clock", "0.1ns", "-o", "out"},
                 "dataflow.clock_out_of_range");
}

TEST_F(BadInput, AFolderWithOtherFilesIsNotReplaced) {
  fs::create_directory(folder() / "mine");
  write("mine/thesis.txt", "years of work");
  expect_refused({"compile", model(), "-o", "mine"}, "support.directory_not_ours");
  EXPECT_EQ(read("mine/thesis.txt"), "years of work");
}

TEST_F(BadInput, ClassesThatAreNotThere) {
  expect_refused({"emulate", model(), "--data", "glyphs", "--signal", "omega"},
                 "data.no_such_class");
  expect_refused(
      {"emulate", model(), "--data", "glyphs", "--signal", "perp", "--background", "perp"},
      "data.same_class");
}

TEST_F(BadInput, DamagedImages) {
  write_images("magic", std::string("\0\0\x8\1", 4), 2);
  expect_refused({"emulate", model(), "--data", "magic"}, "data.wrong_magic");
  write_images("short", magic_, 2, 100);
  expect_refused({"emulate", model(), "--data", "short"}, "data.wrong_size");
  write_images("counts", magic_, 3);
  expect_refused({"emulate", model(), "--data", "counts"}, "data.counts_differ");
}

TEST_F(BadInput, TruncatedGzip) {
  const std::string set = shared("data/hasy-gamma-perp");
  if (set.empty())
    GTEST_SKIP() << "no shared data";
  fs::copy(set, folder() / "cut");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder() / "cut")) {
    fs::permissions(entry.path(), fs::perms::owner_all);
    if (entry.path().string().find("test-images") != std::string::npos)
      fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  }
  expect_refused({"emulate", model(), "--data", "cut"}, "support.gzip_truncated");
}

TEST_F(BadInput, ImagesOfAnotherSizeThanTheModels) {
  write("small.mr",
        "graph @small {\n  %x = input : tensor<6x6x1 x ufixed<8,0>>\n"
        "  %y = relu %x : tensor<6x6x1 x ufixed<8,0>>\n  output %y\n}\n");
  ASSERT_EQ(run_program({"compile", "small.mr", "--lanes", "6", "-o", "out"}).exit_code, 0);
  expect_refused({"simulate", "out", "--data", "glyphs"}, "cli.image_size");
}

TEST_F(BadInput, AModelThatIsNoClassifier) {
  write("map.mr",
        "graph @map {\n  %x = input : tensor<28x28x1 x ufixed<8,0>>\n"
        "  %y = relu %x : tensor<28x28x1 x ufixed<8,0>>\n  output %y\n}\n");
  expect_refused({"emulate", "map.mr", "--data", "glyphs"}, "cli.classes_differ");
}

TEST_F(BadInput, SeveralOutputs) {
  expect_refused({"emulate", source("tests/text/vectors.mr"), "--data", "glyphs"},
                 "cli.one_input_one_output");
}

TEST_F(BadInput, NoImagesNamed) {
  expect_refused({"emulate", model()}, "cli.no_images");
}

TEST_F(BadInput, MoreFramesThanImages) {
  ASSERT_EQ(run_program({"compile", model(), "-o", "out"}).exit_code, 0);
  expect_refused({"simulate", "out", "--data", "glyphs", "--frames", "100000"},
                 "cli.too_few_images");
}

TEST_F(BadInput, ToolsThatAreNotInstalled) {
  ASSERT_EQ(run_program({"compile", model(), "-o", "out"}).exit_code, 0);
  const std::vector<std::string> nowhere = {"env", "PATH=/nowhere"};
  expect_refused({"simulate", "out", "--data", "glyphs", "--frames", "1"},
                 "support.program_missing", nowhere);
  expect_refused({"simulate", "out", "--data", "glyphs", "--frames", "1", "--simulator", "icarus"},
                 "support.program_missing", nowhere);
  expect_refused({"synth", "out"}, "support.program_missing", nowhere);
}

TEST_F(BadInput, NoRoomForIntermediateFiles) {
  ASSERT_EQ(run_program({"compile", model(), "-o", "out"}).exit_code, 0);
  expect_refused({"simulate", "out", "--data", "glyphs", "--frames", "1"},
                 "support.no_temporary_directory", {"env", "TMPDIR=/nowhere"});
}

TEST_F(BadInput, NetworksNobodyKnows) {
  expect_refused({"reproduce", "digits", "-o", "out"}, "cli.unknown_network");
}

TEST_F(BadInput, UnsupportedOperators) {
  const std::string models = shared("models/qonnx");
  if (models.empty())
    GTEST_SKIP() << "no shared models";
  const Outcome run = run_program({"compile", models + "/residual_block_clean.onnx", "-o", "out"});
  EXPECT_EQ(run.exit_code, 1) << run.errors;
  EXPECT_TRUE(files().empty());
}

}  // namespace
}  // namespace millrace::e2e
