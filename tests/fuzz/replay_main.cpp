// SPDX-License-Identifier: Apache-2.0
// In place of libFuzzer: runs a fuzzer's entry once on each file of the folders given, without
// mutations and with any compiler.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "millrace/support/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const auto bytes = millrace::read_file(entry.path());
      if (!bytes) {
        std::fprintf(stderr, "%s\n", bytes.error().to_string().c_str());
        return 1;
      }
      // What kills the program is the input that was named last.
      std::fprintf(stderr, "%s\n", entry.path().c_str());
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size());
      ++count;
    }
  }
  std::printf("%d inputs, nothing found\n", count);
  return count > 0 ? 0 : 1;
}
