// SPDX-License-Identifier: Apache-2.0
// What can be wrong with labelled images and with arrays.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::data::messages {

inline constexpr Message NoSuchPath{
    "data.no_such_path", "there is no directory or data set of that name",
    "give a directory with IDX files, DIRECTORY/PREFIX of one data set in it, or 'glyphs'"};
inline constexpr Message NoDataSet{
    "data.no_data_set", "no IDX image files in this directory",
    "their names end in train-images-idx3-ubyte.gz, as EMNIST and MNIST have them"};
inline constexpr Message SeveralDataSets{"data.several_data_sets",
                                         "several data sets lie in this directory: {}",
                                         "choose one with DIRECTORY/PREFIX"};
inline constexpr Message FileMissing{
    "data.file_missing", "the data set lacks this file",
    "a data set has four: images and labels, each for training and for testing"};
inline constexpr Message WrongMagic{
    "data.wrong_magic", "not an IDX file of {}: it starts with {:#010x} instead of {:#010x}",
    "IDX image files start with 0x00000803, IDX label files with 0x00000801"};
inline constexpr Message NoHeader{"data.no_header",
                                  "the file ends within its IDX header: {} bytes of {}",
                                  "the file is truncated; fetch it again"};
inline constexpr Message BadImageSize{"data.bad_image_size",
                                      "the header announces images of {} x {} pixels",
                                      "images have between 1 and 4096 rows and columns"};
inline constexpr Message WrongSize{"data.wrong_size",
                                   "the header announces {} bytes of data, the file holds {}",
                                   "the file is truncated or damaged; fetch it again"};
inline constexpr Message CountsDiffer{"data.counts_differ", "{} labels for {} images",
                                      "the label file belongs to another image file"};
inline constexpr Message SizesDiffer{
    "data.sizes_differ", "the training images are {} x {} pixels, the test images {} x {}",
    "the two files belong to different data sets"};
inline constexpr Message ClassNotNamed{"data.class_not_named",
                                       "which classes? This data set has: {}",
                                       "name two of them with --signal and --background"};
inline constexpr Message NoSuchClass{"data.no_such_class",
                                     "no {} images of class '{}'; the classes that are there: {}",
                                     "choose --signal and --background among them"};
inline constexpr Message SameClass{"data.same_class",
                                   "signal and background are the same class, '{}'",
                                   "choose two different classes"};

// Arrays.
inline constexpr Message NotNpy{"data.not_npy", "not a .npy file: it does not begin as one",
                                "save one array with numpy.save"};
inline constexpr Message NpyVersion{"data.npy_version",
                                    "version {}.{} of the .npy format is not known",
                                    "save the array again with numpy.save"};
inline constexpr Message NpyHeader{"data.npy_header", "the header of the .npy file is damaged: {}",
                                   "save the array again with numpy.save"};
inline constexpr Message NpyObjects{
    "data.npy_objects", "the array holds Python objects, as an array with ragged rows does",
    "give each row the same number of entries, and the array a type of integers"};
inline constexpr Message NpyType{"data.npy_type", "the array's entries are of type {}",
                                 "store integers: matrix.astype(numpy.int64)"};
inline constexpr Message NpyDimensions{"data.npy_dimensions",
                                       "the array has the shape {}, not rows x columns",
                                       "reshape it to rows and columns"};
inline constexpr Message NpyTooLarge{"data.npy_too_large", "the array has {} x {} entries",
                                     "an array holds at most 2^26 entries"};
inline constexpr Message NpyNotInteger{"data.npy_not_integer",
                                       "row {}, column {} is {}, which is not an integer",
                                       "scale and round the array to integers"};
inline constexpr Message NpyTooWide{"data.npy_too_wide",
                                    "row {}, column {} is {}, which does not fit 64 bits",
                                    "scale the array down"};

inline constexpr Message NpyTooManyEntries{"data.npy_too_many_entries",
                                           "an array of {} entries is more than {}",
                                           "give the inputs in several files"};

}  // namespace millrace::data::messages
