// SPDX-License-Identifier: Apache-2.0
// Two inputs and two outputs: gives the 4 beats of input a back after 2 cycles, and the sum of all
// of a's and b's pixels 1 cycle after both are in. Input b has 3 rows of 2 pixels of 4 bits, 2 rows
// a beat. Asserts that frames of an input begin 9 cycles apart, and that no input begins a frame
// before the other has ended the one before.
`default_nettype none

module two_streams (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_a_valid_i,
    input  wire  [ 7:0] in_a_data_i,
    input  wire         in_b_valid_i,
    input  wire  [15:0] in_b_data_i,
    output logic        out_echo_valid_o,
    output logic [ 7:0] out_echo_data_o,
    output logic        out_sum_valid_o,
    output logic [15:0] out_sum_data_o
);
  localparam logic [2:0] Pause = 3'd5;  // an interval of 9 less the 4 beats of the longer frame

  logic        first_valid_q;
  logic [ 7:0] first_q;
  logic [ 2:0] a_count_q, a_count_d, b_count_q, b_count_d;
  logic [ 2:0] pause_q;  // cycles since the frame before was in
  logic [15:0] sum_q, sum_d, a_term, b_term;
  logic is_complete;

  assign a_count_d   = a_count_q + 3'(in_a_valid_i);
  assign b_count_d   = b_count_q + 3'(in_b_valid_i);
  assign is_complete = a_count_d == 3'd4 && b_count_d == 3'd2;
  assign a_term      = in_a_valid_i ? 16'(in_a_data_i) : 16'd0;

  always_comb begin
    b_term = 16'd0;
    if (in_b_valid_i) b_term = 16'(in_b_data_i[3:0]) + 16'(in_b_data_i[7:4]);
    if (in_b_valid_i && b_count_q == 3'd0)
      b_term = b_term + 16'(in_b_data_i[11:8]) + 16'(in_b_data_i[15:12]);
  end
  assign sum_d = sum_q + a_term + b_term;

  always_ff @(posedge clk_i) begin
    first_q         <= in_a_data_i;
    out_echo_data_o <= first_q;
    out_sum_data_o  <= sum_d;
    if (rst_i) begin
      first_valid_q    <= 1'b0;
      out_echo_valid_o <= 1'b0;
      out_sum_valid_o  <= 1'b0;
      a_count_q        <= 3'd0;
      b_count_q        <= 3'd0;
      sum_q            <= 16'd0;
      pause_q          <= Pause;
    end else begin
      first_valid_q    <= in_a_valid_i;
      out_echo_valid_o <= first_valid_q;
      out_sum_valid_o  <= is_complete;
      a_count_q        <= is_complete ? 3'd0 : a_count_d;
      b_count_q        <= is_complete ? 3'd0 : b_count_d;
      sum_q            <= is_complete ? 16'd0 : sum_d;
      if (is_complete) pause_q <= 3'd0;
      else if (pause_q != Pause) pause_q <= pause_q + 3'd1;
    end
  end

`ifndef __ICARUS__
  AWaitsForB_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_a_valid_i |-> a_count_q != 3'd4);
  BWaitsForA_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_b_valid_i |-> b_count_q != 3'd2);
  AKeepsTheInterval_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_a_valid_i && a_count_q == 3'd0 |-> pause_q == Pause);
  BKeepsTheInterval_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_b_valid_i && b_count_q == 3'd0 |-> pause_q == Pause);
`endif
endmodule

`default_nettype wire
