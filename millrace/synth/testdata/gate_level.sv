// SPDX-License-Identifier: Apache-2.0
// One of each that synthesis maps to something of its own: shift registers with an enable (20 and
// 150 long, and one with a tap that moves), a delay without one, distributed memory, adders, and a
// register that resets to 1. Gives a beat for each beat, 7 cycles later.
//
// What was never written is masked, so that the answer does not depend on how registers wake up.
`default_nettype none

module gate_level (
    input  wire         clk_i,
    input  wire         rst_i,
    input  wire         in_valid_i,
    input  wire  [ 7:0] in_data_i,
    output logic        out_valid_o,
    output logic [10:0] out_data_o
);
  localparam int ShortLength = 20;
  localparam int LongLength = 150;
  localparam int Distance = 40;  // beats between a write to the memory and its read
  localparam int Delay = 6;

  logic [8*ShortLength-1:0] short_q;
  logic [LongLength-1:0] long_q;
  logic [31:0] tapped_q;
  logic [7:0] memory[64];
  logic [5:0] write_q;
  logic [7:0] count_q;  // beats so far, saturating
  logic is_even_q;
  logic [5:0] read;
  logic [7:0] short_term, memory_term;
  logic [1:0] bit_terms;
  logic [10:0] sum;

  assign read        = write_q - 6'(Distance);
  assign short_term  = count_q >= 8'(ShortLength) ? short_q[8*ShortLength-1-:8] : '0;
  assign bit_terms[0] = count_q >= 8'(LongLength) && long_q[LongLength-1];
  assign bit_terms[1] = count_q >= 8'd32 && tapped_q[write_q[4:0]];
  assign memory_term = count_q >= 8'(Distance) ? memory[read] : '0;
  assign sum         = (is_even_q ? 11'(short_term) - 11'(memory_term)
                                  : 11'(memory_term) + 11'(in_data_i)) + 11'(bit_terms);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      count_q   <= '0;
      write_q   <= '0;
      is_even_q <= 1'b1;
    end else if (in_valid_i) begin
      if (count_q != '1) count_q <= count_q + 8'd1;
      write_q   <= write_q + 6'd1;
      is_even_q <= !is_even_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_valid_i) begin
      short_q         <= {short_q[8*(ShortLength-1)-1:0], in_data_i};
      long_q          <= {long_q[LongLength-2:0], in_data_i[0]};
      tapped_q        <= {tapped_q[30:0], in_data_i[1]};
      memory[write_q] <= in_data_i;
    end
  end

  logic [Delay:0] valid_q;
  logic [11*(Delay+1)-1:0] delay_q;

  always_ff @(posedge clk_i) begin
    valid_q <= rst_i ? '0 : {valid_q[Delay-1:0], in_valid_i};
    delay_q <= {delay_q[11*Delay-1:0], sum};
  end

  assign out_valid_o = valid_q[Delay];
  assign out_data_o  = delay_q[11*(Delay+1)-1-:11];
endmodule

`default_nettype wire
