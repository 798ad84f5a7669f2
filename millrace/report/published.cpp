// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/published.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "millrace/support/files.h"

namespace millrace::report {

namespace fs = std::filesystem;

Result<std::optional<Published>> find_published(const NetworkRecord& network) {
  MR_TRY(const fs::path folder, find_data_dir("published"));
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    MR_TRY(const std::string json, read_file(file));
    MR_TRY(Published published, parse_json<Published>(json, file.string()));
    if (published.parameters == network.parameters &&
        published.multiplications == network.multiplications)
      return published;
  }
  return std::nullopt;
}

}  // namespace millrace::report
