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
  localparam logic [3:0] Interval = 4'd9;

  logic        first_valid_q;
  logic [ 7:0] first_q;
  logic [ 2:0] a_count_q, a_count_d, b_count_q, b_count_d;
  logic [ 3:0] a_age_q, b_age_q;
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
      a_age_q          <= Interval;
      b_age_q          <= Interval;
    end else begin
      first_valid_q    <= in_a_valid_i;
      out_echo_valid_o <= first_valid_q;
      out_sum_valid_o  <= is_complete;
      a_count_q        <= is_complete ? 3'd0 : a_count_d;
      b_count_q        <= is_complete ? 3'd0 : b_count_d;
      sum_q            <= is_complete ? 16'd0 : sum_d;
      if (in_a_valid_i && a_count_q == 3'd0) a_age_q <= 4'd1;
      else if (a_age_q != Interval) a_age_q <= a_age_q + 4'd1;
      if (in_b_valid_i && b_count_q == 3'd0) b_age_q <= 4'd1;
      else if (b_age_q != Interval) b_age_q <= b_age_q + 4'd1;
    end
  end

`ifndef __ICARUS__
  AWaitsForB_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_a_valid_i |-> a_count_q != 3'd4);
  BWaitsForA_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_b_valid_i |-> b_count_q != 3'd2);
  AKeepsTheInterval_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_a_valid_i && a_count_q == 3'd0 |-> a_age_q == Interval);
  BKeepsTheInterval_A: assert property (@(posedge clk_i) disable iff (rst_i)
    in_b_valid_i && b_count_q == 3'd0 |-> b_age_q == Interval);
`endif
endmodule

`default_nettype wire
