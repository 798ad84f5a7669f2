// SPDX-License-Identifier: Apache-2.0
// A read-only memory in LUTs: one bit of each of several lines.
//
//   data_o[i]  Contents[i * Steps + address_i]; anything where address_i >= Steps
//
// Golden model: Contents itself; tests/rtl/accumulate_test.cpp reads both forms through a product.
//
// Combinational. Takes, for each line, a LUT for each 64 steps begun, whose outputs the slice's own
// multiplexers join up to 256 steps. Yosys makes many times as many of a plain case statement.

`include "mr_assert.svh"
`default_nettype none

module mr_rom #(
  parameter int                     Lines       = 1,                              // >= 1
  parameter int                     Steps       = 2,                              // >= 1
  parameter int                     AddressBits = Steps > 1 ? $clog2(Steps) : 1,  // as it is
  parameter logic [Lines*Steps-1:0] Contents    = '0,
`ifdef SYNTHESIS
  parameter bit                     Primitive   = 1  // LUT6, MUXF7 and MUXF8 of the library
`else
  parameter bit                     Primitive   = 0
`endif
) (
  input  wire  [AddressBits-1:0] address_i,
  output logic [Lines-1:0]       data_o
);

  `MR_ASSERT_STATIC(SizesInRange, Lines >= 1 && Steps >= 1 && AddressBits <= 16)

  if (Primitive) begin : gen_primitive
    localparam int Blocks = (Steps + 255) / 256;
    localparam int Padded = 256 * Blocks;
    logic [15:0] address;
    logic        unused;
    assign address = 16'(address_i);
    assign unused  = ^address;
    for (genvar i = 0; i < Lines; i = i + 1) begin : gen_line
      localparam logic [Padded-1:0] Line = Padded'(Contents[i*Steps +: Steps]);
      logic [Blocks-1:0] of_block;
      for (genvar k = 0; k < Blocks; k = k + 1) begin : gen_block
        localparam int Rest = Steps - 256 * k;  // steps from here on
        logic [3:0] of_lut;
        logic [1:0] of_pair;
        for (genvar j = 0; j < 4; j = j + 1) begin : gen_lut
          if (64 * j < Rest) begin : gen_some
            LUT6 #(.INIT(Line[256*k+64*j +: 64])) u_lut (
              .O(of_lut[j]), .I0(address[0]), .I1(address[1]), .I2(address[2]), .I3(address[3]),
              .I4(address[4]), .I5(address[5])
            );
          end else begin : gen_none
            assign of_lut[j] = 1'b0;
          end
        end
        for (genvar j = 0; j < 2; j = j + 1) begin : gen_pair
          if (64 * (2 * j + 1) < Rest) begin : gen_two
            MUXF7 u_mux (.O(of_pair[j]), .I0(of_lut[2*j]), .I1(of_lut[2*j+1]), .S(address[6]));
          end else begin : gen_one
            assign of_pair[j] = of_lut[2*j];
          end
        end
        if (128 < Rest) begin : gen_four
          MUXF8 u_mux (.O(of_block[k]), .I0(of_pair[0]), .I1(of_pair[1]), .S(address[7]));
        end else begin : gen_two
          assign of_block[k] = of_pair[0];
        end
      end
      if (Blocks == 1) begin : gen_only
        assign data_o[i] = of_block[0];
      end else begin : gen_choice
        assign data_o[i] = of_block[address_i[AddressBits-1:8]];
      end
    end
  end else begin : gen_behavioural
    // A loop at run time: a simulator does not unroll it for thousands of lines.
    always_comb begin
      for (int i = 0; i < Lines; i = i + 1) data_o[i] = Contents[i*Steps + 32'(address_i)];
    end
  end

endmodule : mr_rom

`default_nettype wire
