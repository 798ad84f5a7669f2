// SPDX-License-Identifier: Apache-2.0
// Adds up the partial sums of a frame, for several outputs side by side.
//
//   out_data_o  for each output: its bias plus the sums of all beats from the one marked first to
//               the one marked last, their carries included, modulo 2^SumBits
//
// Golden model: dataflow::evaluate(AccumulateStage).
//
// Latency 1 cycle from the last beat. Throughput 1 beat/cycle, no back-pressure.

`include "mr_assert.svh"
`default_nettype none

module mr_accumulator #(
  parameter int Outputs = 1,   // >= 1
  parameter int SumBits = 16,  // >= 1
  parameter [Outputs*SumBits-1:0] Bias = '0  // output 0 lowest
) (
  input  wire                         clk_i,
  input  wire                         rst_i,  // synchronous, active high
  input  wire                         in_valid_i,
  input  wire                         in_first_i,
  input  wire                         in_last_i,
  input  wire  [Outputs*SumBits-1:0]  in_data_i,
  input  wire  [Outputs-1:0]          in_carry_i,  // one more, for each output
  output logic                        out_valid_o,
  output logic [Outputs*SumBits-1:0]  out_data_o
);

  `MR_ASSERT_STATIC(SizesInRange, Outputs >= 1 && SumBits >= 1)

  always_ff @(posedge clk_i) begin
    if (rst_i) out_valid_o <= 1'b0;
    else out_valid_o <= in_valid_i && in_last_i;
  end

  for (genvar i = 0; i < Outputs; i = i + 1) begin : gen_output
    logic [SumBits-1:0] sum_q;
    logic [SumBits-1:0] start;
    logic [SumBits-1:0] sum;
    logic               unused;
    assign start = in_first_i ? Bias[i*SumBits +: SumBits] : sum_q;
    // The carry enters the chain below its lowest bit. Without that bit Yosys joins the choice of
    // `start` to the adder's other side and takes two LUTs for each bit.
    assign {sum, unused} = {in_data_i[i*SumBits +: SumBits], in_carry_i[i]} + {start, 1'b1};
    always_ff @(posedge clk_i) begin
      if (in_valid_i) sum_q <= sum;
    end
    assign out_data_o[i*SumBits +: SumBits] = sum_q;
  end

  `MR_ASSERT(LastGivesResult_A, in_valid_i && in_last_i |=> out_valid_o)

endmodule : mr_accumulator

`default_nettype wire
