// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::support::messages {

// Files.
inline constexpr Message FileMissing{"support.file_missing", "there is no such file",
                                     "check the path"};
inline constexpr Message FileNotRegular{"support.file_not_regular", "this is not a regular file",
                                        "give a file, not a folder or a device"};
inline constexpr Message FileUnreadable{"support.file_unreadable", "the file cannot be read: {}",
                                        "check the file's permissions"};
inline constexpr Message FileTooLarge{"support.file_too_large",
                                      "the file holds more than the {} bytes allowed",
                                      "check that this is the file you meant"};
inline constexpr Message GzipTruncated{"support.gzip_truncated",
                                       "the compressed file ends in the middle of its data",
                                       "fetch or copy the file again"};
inline constexpr Message GzipCorrupt{"support.gzip_corrupt", "the compressed file is damaged: {}",
                                     "fetch or copy the file again"};
inline constexpr Message FileNotWritable{"support.file_not_writable",
                                         "the file cannot be written: {}",
                                         "check that the folder exists and may be written to"};
inline constexpr Message DirectoryNotWritable{"support.directory_not_writable",
                                              "the folder cannot be made: {}",
                                              "check that the folder around it may be written to"};
inline constexpr Message NoTemporaryDirectory{"support.no_temporary_directory",
                                              "no folder for intermediate files can be made there",
                                              "set TMPDIR to a folder that may be written to"};
inline constexpr Message DirectoryNotOurs{
    "support.directory_not_ours", "it exists already and is not an earlier output (no '{}' in it)",
    "choose another output folder, or remove this one yourself"};
inline constexpr Message DataMissing{
    "support.data_missing", "Millrace's own data folder '{}' is not there",
    "install Millrace again, or set MILLRACE_DATA_DIR to the folder that holds its data"};

// Programs.
inline constexpr Message ProgramMissing{"support.program_missing",
                                        "the program is not installed or not on PATH{}",
                                        "install the program, then try again"};
inline constexpr Message ProgramNotStarted{"support.program_not_started",
                                           "the program cannot be started: {}",
                                           "check the program and the folder it is to run in"};
inline constexpr Message ProgramTimeout{"support.program_timeout",
                                        "the program was ended after {} s",
                                        "give it more time, or a smaller task"};
inline constexpr Message ProgramStopped{"support.program_stopped",
                                        "the program was stopped as asked", "start it again"};

}  // namespace millrace::support::messages
