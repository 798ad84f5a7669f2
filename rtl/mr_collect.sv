// SPDX-License-Identifier: Apache-2.0
// Gathers the beats of a group into one wide beat.
//
//   out_data_o  beat i of the group in bits [i * Bits +: Bits]
//
// Golden model: the concatenation; tested with the circuits that use it.
//
// Latency 0 cycles from the last beat of a group. Throughput 1 beat/cycle, gaps allowed anywhere.

`include "mr_assert.svh"
`default_nettype none

module mr_collect #(
  parameter int Bits  = 8,  // of a beat, >= 1
  parameter int Beats = 2   // of a group, >= 1
) (
  input  wire                    clk_i,
  input  wire                    rst_i,  // synchronous, active high
  input  wire                    in_valid_i,
  input  wire  [Bits-1:0]        in_data_i,
  output logic                   out_valid_o,
  output logic [Beats*Bits-1:0]  out_data_o
);

  `MR_ASSERT_STATIC(GroupNotEmpty, Bits >= 1 && Beats >= 1)

  if (Beats == 1) begin : gen_through
    logic unused;
    assign unused      = ^{clk_i, rst_i};
    assign out_valid_o = in_valid_i;
    assign out_data_o  = in_data_i;
  end else begin : gen_gather
    localparam int CountBits = $clog2(Beats);
    logic [CountBits-1:0]      count_q;
    logic                      last;
    logic [(Beats-1)*Bits-1:0] earlier_q;  // the beats before, the oldest one lowest

    assign last        = count_q == CountBits'(Beats - 1);
    assign out_valid_o = in_valid_i && last;
    assign out_data_o  = {in_data_i, earlier_q};

    always_ff @(posedge clk_i) begin
      if (rst_i) count_q <= '0;
      else if (in_valid_i) count_q <= last ? '0 : count_q + CountBits'(1);
    end
    if (Beats == 2) begin : gen_one
      always_ff @(posedge clk_i) if (in_valid_i) earlier_q <= in_data_i;
    end else begin : gen_more
      always_ff @(posedge clk_i)
        if (in_valid_i) earlier_q <= {in_data_i, earlier_q[(Beats-1)*Bits-1:Bits]};
    end
  end

endmodule : mr_collect

`default_nettype wire
