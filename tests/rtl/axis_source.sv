// SPDX-License-Identifier: Apache-2.0
// Queues beats and offers them on AXI4-Stream, each after a pause of random length; tdata carries
// noise where it means nothing. Asserts that an offer that is refused stands.

`include "mr_assert.svh"
`default_nettype none

module axis_source #(
  parameter int Bits       = 8,     // whole bytes
  parameter int QueueDepth = 1024,  // power of 2
  parameter int Pauses     = 1      // 0: none
) (
  input  wire             clk_i,
  input  wire             rst_i,    // synchronous, active high
  input  wire  [15:0]     noise_i,
  input  wire             in_valid_i,
  input  wire  [Bits-1:0] in_data_i,
  output logic            m_axis_tvalid,
  input  wire             m_axis_tready,
  output logic [Bits-1:0] m_axis_tdata
);

  localparam int PtrBits = $clog2(QueueDepth);

  logic [Bits-1:0]    queue [0:QueueDepth-1];
  logic [PtrBits-1:0] write_q;
  logic [PtrBits-1:0] read_q;
  logic [3:0]         pause_q;
  logic               offers;

  assign offers = write_q != read_q && (Pauses == 0 || pause_q == '0);

  always_ff @(posedge clk_i) begin
    if (in_valid_i) queue[write_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      write_q       <= '0;
      read_q        <= '0;
      pause_q       <= '0;
      m_axis_tvalid <= 1'b0;
    end else begin
      if (in_valid_i) write_q <= write_q + PtrBits'(1);
      if (pause_q != '0) pause_q <= pause_q - 4'd1;
      if (!m_axis_tvalid || m_axis_tready) begin
        m_axis_tvalid <= offers;
        if (offers) begin
          read_q  <= read_q + PtrBits'(1);
          pause_q <= noise_i[1:0] == '0 ? noise_i[5:2] : 4'd0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!m_axis_tvalid || m_axis_tready)
      m_axis_tdata <= offers ? queue[read_q] : Bits'({4{noise_i}});
  end

  `MR_ASSERT(OfferStands_A, m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid)
  `MR_ASSERT(QueueHasRoom_A, !(in_valid_i && write_q + PtrBits'(1) == read_q))

endmodule : axis_source

`default_nettype wire
