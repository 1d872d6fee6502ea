//! Encoding: K steps of a recorded program into one submission, or one step into several.

use super::pipelines::{Recorded, Recording, SLOTS, STRIDE};
use crate::exec::Counters;
use crate::kernels::Step;

/// Encodes launches and submits them; the step table is written once a submission.
pub(super) struct Encoder<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    recording: &'a Recording,
    counters: &'a mut Counters,
    commands: wgpu::CommandEncoder,
    /// Entries not yet written, from entry `first` of the table.
    entries: Vec<u8>,
    first: usize,
    /// Entries used by commands that have not been submitted, or were written for them.
    used: usize,
}

impl<'a> Encoder<'a> {
    pub fn new(
        device: &'a wgpu::Device,
        queue: &'a wgpu::Queue,
        recording: &'a Recording,
        counters: &'a mut Counters,
    ) -> Self {
        let commands = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        Self {
            device,
            queue,
            recording,
            counters,
            commands,
            entries: Vec::new(),
            first: 0,
            used: 0,
        }
    }

    /// Encodes steps of a program, each cut into `cuts` submissions if that is over 1.
    pub fn run(&mut self, program: &Recorded, steps: &[Step], cuts: usize) {
        let mut rest = steps;
        while !rest.is_empty() {
            if self.used == SLOTS {
                self.flush();
                (self.first, self.used) = (0, 0);
            }
            // A cut step ends its submission, so it is encoded by itself.
            let most = if cuts > 1 { 1 } else { SLOTS - self.used };
            let (now, later) = rest.split_at(rest.len().min(most));
            let entry = self.used;
            for step in now {
                let end = self.entries.len() + STRIDE as usize;
                self.entries.extend_from_slice(bytemuck::bytes_of(step));
                self.entries.resize(end, 0);
            }
            self.used += now.len();
            if cuts > 1 {
                let len = program.launches.len();
                let part = len.div_ceil(cuts).max(1);
                for from in (0..len).step_by(part) {
                    self.pass(program, entry..entry + 1, from..len.min(from + part));
                    self.flush();
                }
            } else {
                self.pass(program, entry..entry + now.len(), 0..program.launches.len());
            }
            rest = later;
        }
    }

    fn pass(
        &mut self,
        program: &Recorded,
        entries: std::ops::Range<usize>,
        nodes: std::ops::Range<usize>,
    ) {
        let mut pass = self
            .commands
            .begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut pipeline = usize::MAX;
        for entry in entries {
            // Entries are fewer than SLOTS, so the offset fits.
            let offset = (entry as u32) * (STRIDE as u32);
            pass.set_bind_group(1, &program.tables, &[offset]);
            for launch in &program.launches[nodes.clone()] {
                if launch.pipeline != pipeline {
                    pipeline = launch.pipeline;
                    // Made before the batch was encoded.
                    if let Some(made) = self.recording.pipelines.get(pipeline) {
                        pass.set_pipeline(made);
                    }
                }
                pass.set_bind_group(0, &launch.bindings, &[]);
                let [x, y, z] = launch.grid;
                pass.dispatch_workgroups(x, y, z);
                self.counters.dispatches += 1;
            }
        }
    }

    /// Encodes a copy into a staging buffer, at `to` bytes.
    pub fn copy(
        &mut self,
        from: &wgpu::Buffer,
        at: u64,
        staging: &wgpu::Buffer,
        to: u64,
        bytes: u64,
    ) {
        self.commands
            .copy_buffer_to_buffer(from, at, staging, to, bytes);
    }

    /// Submits what has been encoded since the last time.
    fn flush(&mut self) {
        let fresh = wgpu::CommandEncoderDescriptor::default();
        let commands = std::mem::replace(
            &mut self.commands,
            self.device.create_command_encoder(&fresh),
        );
        self.write_steps();
        self.queue.submit([commands.finish()]);
        self.counters.submits += 1;
    }

    fn write_steps(&mut self) {
        if !self.entries.is_empty() {
            let at = self.first as u64 * STRIDE;
            self.queue
                .write_buffer(&self.recording.steps, at, &self.entries);
            self.entries.clear();
            self.first = self.used;
        }
    }

    /// Submits the rest.
    pub fn finish(mut self) -> wgpu::SubmissionIndex {
        self.write_steps();
        self.counters.submits += 1;
        self.queue.submit([self.commands.finish()])
    }
}
