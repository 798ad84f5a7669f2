// SPDX-License-Identifier: Apache-2.0
// Adds up the partial sums of a frame, for several outputs side by side.
//
//   out_data_o  for each output: its bias plus the sums of all beats from the one marked first to
//               the one marked last, their carries included, modulo 2^SumBits
//
// Golden model: dataflow::evaluate(AccumulateStage).
//
// Latency 1 cycle from the last beat. Throughput 1 beat/cycle, no back-pressure. SumBits LUTs for
// each output.

`include "mr_assert.svh"
`default_nettype none

module mr_accumulator #(
  parameter int Outputs = 1,   // >= 1
  parameter int SumBits = 16,  // >= 1
  parameter [Outputs*SumBits-1:0] Bias = '0,  // output 0 lowest
`ifdef SYNTHESIS
  parameter bit Primitive = 1  // LUT3 and CARRY8 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
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

  localparam int Padded = (SumBits + 7) / 8 * 8;  // to whole CARRY8

  for (genvar i = 0; i < Outputs; i = i + 1) begin : gen_output
    logic [SumBits-1:0] sum_q;
    logic [SumBits-1:0] data;
    logic [SumBits-1:0] sum;
    assign data = in_data_i[i*SumBits +: SumBits];
    if (Primitive) begin : gen_primitive
      // The choice of what to add to stands in the LUTs of the row, the bias in their tables; of an
      // addition Yosys makes two LUTs for each bit.
      logic [Padded-1:0] propagate;
      logic [Padded-1:0] direct;
      logic [Padded-1:0] total;
      logic [Padded-1:0] carry;
      logic              unused;
      for (genvar k = 0; k < Padded; k = k + 1) begin : gen_bit
        if (k < SumBits) begin : gen_lut
          localparam bit Start = Bias[i*SumBits + k];
          LUT3 #(.INIT({Start ? 4'b0101 : 4'b1010, 4'b0110})) u_lut (
            .O(propagate[k]), .I0(data[k]), .I1(sum_q[k]), .I2(in_first_i)
          );
          assign direct[k] = data[k];
        end else begin : gen_none
          assign propagate[k] = 1'b0;
          assign direct[k]    = 1'b0;
        end
      end
      for (genvar k = 0; k < Padded / 8; k = k + 1) begin : gen_carry
        logic carry_in;
        if (k == 0) begin : gen_first
          assign carry_in = in_carry_i[i];
        end else begin : gen_next
          assign carry_in = carry[8*k-1];
        end
        CARRY8 u_carry (
          .CO(carry[8*k +: 8]), .O(total[8*k +: 8]),
          .CI(carry_in), .CI_TOP(1'b0), .DI(direct[8*k +: 8]), .S(propagate[8*k +: 8])
        );
      end
      assign sum    = total[SumBits-1:0];
      assign unused = ^{total, carry};
    end else begin : gen_behavioural
      assign sum = (in_first_i ? Bias[i*SumBits +: SumBits] : sum_q) + data +
                   SumBits'(in_carry_i[i]);
    end
    always_ff @(posedge clk_i) begin
      if (in_valid_i) sum_q <= sum;
    end
    assign out_data_o[i*SumBits +: SumBits] = sum_q;
  end

  `MR_ASSERT(LastGivesResult_A, in_valid_i && in_last_i |=> out_valid_o)

endmodule : mr_accumulator

`default_nettype wire
