// SPDX-License-Identifier: Apache-2.0
// Delays a few control bits.
//
//   out_o  in_i of Cycles cycles ago; 0 in the first Cycles cycles after reset
//
// Latency Cycles (0: a wire). Throughput 1/cycle.

`include "mr_assert.svh"
`default_nettype none

module mr_delay #(
  parameter int Width  = 1,  // >= 1
  parameter int Cycles = 1   // >= 0
) (
  input  wire               clk_i,
  input  wire               rst_i,  // synchronous, active high
  input  wire  [Width-1:0]  in_i,
  output logic [Width-1:0]  out_o
);

  `MR_ASSERT_STATIC(WidthInRange, Width >= 1)

  if (Cycles == 0) begin : gen_wire
    logic unused;
    assign unused = clk_i ^ rst_i;
    assign out_o  = in_i;
  end else if (Cycles == 1) begin : gen_register
    always_ff @(posedge clk_i) begin
      if (rst_i) out_o <= '0;
      else out_o <= in_i;
    end
  end else begin : gen_chain
    logic [Cycles*Width-1:0] chain_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) chain_q <= '0;
      else chain_q <= {chain_q[(Cycles-1)*Width-1:0], in_i};
    end
    assign out_o = chain_q[(Cycles-1)*Width +: Width];
  end

endmodule : mr_delay

`default_nettype wire
