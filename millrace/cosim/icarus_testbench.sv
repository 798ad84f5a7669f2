// SPDX-License-Identifier: Apache-2.0
// Plays a stimulus file into a circuit under Icarus and writes the record; stimulus.h describes
// both. Defines: MILLRACE_TOP, MILLRACE_INPUT_BITS, MILLRACE_OUTPUT_BITS. Plus arguments:
// +stimulus=FILE +record=FILE. Prints "progress FRAME" as it goes.
//
// In each cycle the inputs change while the clock is low, the outputs are read when they have
// settled, and then the clock rises: inputs and outputs are those that the clock edge sees.
`timescale 1ns / 1ps
`default_nettype none

module millrace_testbench;
  localparam integer InputBits = `MILLRACE_INPUT_BITS;
  localparam integer OutputBits = `MILLRACE_OUTPUT_BITS;
  localparam integer ResetCycles = 4;

  logic                  clk = 1'b0;
  logic                  rst = 1'b1;
  logic                  in_valid = 1'b0;
  logic [ InputBits-1:0] in_data;
  wire                   out_valid;
  wire  [OutputBits-1:0] out_data;

  `MILLRACE_TOP u_dut (
      .clk_i      (clk),
      .rst_i      (rst),
      .in_valid_i (in_valid),
      .in_data_i  (in_data),
      .out_valid_o(out_valid),
      .out_data_o (out_data)
  );

  reg [8*4096-1:0] path;
  integer stimulus, record, fields;
  integer num_frames, num_beats, num_outputs, stall_cycles, tail_cycles, seed;
  integer gap, is_first, needed;
  logic [InputBits-1:0] beat;
  integer cycle, beats, frames, outputs, quiet_cycles;
  logic has_beat, drives, answers, runs;
  logic [OutputBits-1:0] defined, undefined;

  task automatic drive_garbage;
    integer i;
    in_valid = 1'b0;
    for (i = 0; i < InputBits; i = i + 32) in_data[i+:32] = $random(seed);
  endtask

  task automatic write_output;
    integer i;
    for (i = 0; i < OutputBits; i = i + 1) begin
      undefined[i] = out_valid !== 1'b1 || (out_data[i] !== 1'b0 && out_data[i] !== 1'b1);
      defined[i]   = out_data[i] === 1'b1;
    end
    $fdisplay(record, "out %0d %h %h", cycle, defined, undefined);
  endtask

  initial begin
    if (!$value$plusargs("stimulus=%s", path)) $finish;
    stimulus = $fopen(path, "r");
    if (!$value$plusargs("record=%s", path)) $finish;
    record = $fopen(path, "w");
    fields = $fscanf(stimulus, "%d %d %d %d %d %d", num_frames, num_beats, num_outputs,
                     stall_cycles, tail_cycles, seed);
    if (fields != 6) begin
      $display("%%Error: the stimulus file cannot be read");
      $finish;
    end

    repeat (ResetCycles) begin
      drive_garbage;
      #1 clk = 1'b1;
      #1 clk = 1'b0;
    end
    rst = 1'b0;

    cycle = 0;
    beats = 0;
    frames = 0;
    outputs = 0;
    quiet_cycles = 0;
    has_beat = 1'b0;
    runs = 1'b1;
    while (runs) begin
      if (!has_beat && beats < num_beats) begin
        fields   = $fscanf(stimulus, "%d %d %d %h", gap, is_first, needed, beat);
        has_beat = 1'b1;
        if (fields != 4) begin
          $display("%%Error: the stimulus file ends early");
          $finish;
        end
      end
      drives = has_beat && gap == 0 && outputs >= needed;
      if (drives) begin
        in_valid = 1'b1;
        in_data  = beat;
        if (is_first != 0) begin
          $fdisplay(record, "in %0d", cycle);
          frames = frames + 1;
          $display("progress %0d", frames);
        end
        has_beat = 1'b0;
        beats    = beats + 1;
      end else begin
        if (has_beat && gap > 0) gap = gap - 1;
        drive_garbage;
      end
      #1;
      // An undefined valid counts as a beat all of whose bits are undefined.
      answers = out_valid !== 1'b0;
      if (answers) begin
        write_output;
        outputs = outputs + 1;
      end
      clk = 1'b1;
      #1 clk = 1'b0;
      quiet_cycles = drives || answers ? 0 : quiet_cycles + 1;
      runs = outputs <= num_outputs && quiet_cycles <= stall_cycles &&
             !(beats == num_beats && outputs == num_outputs && quiet_cycles >= tail_cycles);
      cycle = cycle + 1;
    end
    $fdisplay(record, "end");
    $fclose(record);
    $finish;
  end
endmodule

`default_nettype wire
