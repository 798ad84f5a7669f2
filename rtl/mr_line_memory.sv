// SPDX-License-Identifier: Apache-2.0
// One line of a line buffer: a memory with a write and a read port.
//
//   data_o  Block = 0: the word at address_i
//           Block = 1: the word at the address that next_address_i had before the last clock edge,
//           as it was then: equal to the above where next_address_i is what address_i will be
//
// Golden model: millrace::reference through rtl/mr_window.sv.
//
// Block = 1 is what a block RAM can do: Words >= 2, and the word that is read next must not be
// written in the same cycle. The other form becomes LUTs as memory. Latency 0 cycles.

`include "mr_assert.svh"
`default_nettype none

module mr_line_memory #(
  parameter int Words       = 2,  // >= 1
  parameter int Bits        = 8,  // of a word, >= 1
  parameter bit Block       = 0,  // in block RAM
  localparam int AddressBits = Words > 1 ? $clog2(Words) : 1
) (
  input  wire                    clk_i,
  input  wire                    write_i,
  input  wire  [AddressBits-1:0] write_address_i,
  input  wire  [Bits-1:0]        data_i,
  input  wire  [AddressBits-1:0] address_i,
  input  wire  [AddressBits-1:0] next_address_i,
  output logic [Bits-1:0]        data_o
);

  `MR_ASSERT_STATIC(SizesInRange, Words >= (Block ? 2 : 1) && Bits >= 1)

  logic unused;

  if (Block) begin : gen_block
    (* ram_style = "block" *) logic [Bits-1:0] line [0:Words-1];
    always_ff @(posedge clk_i) begin
      if (write_i) line[write_address_i] <= data_i;
      data_o <= line[next_address_i];
    end
    assign unused = ^address_i;
  end else begin : gen_luts
    logic [Bits-1:0] line [0:Words-1];
    always_ff @(posedge clk_i) if (write_i) line[write_address_i] <= data_i;
    assign data_o = line[address_i];
    assign unused = ^next_address_i;
  end

endmodule : mr_line_memory

`default_nettype wire
