//! Bringing floats back: staging buffers, taken and given back, so that a steady state makes none.

use super::device::Gpu;
use super::pipelines::buffer;
use crate::exec::Counters;
use crate::protocol::Fault;
use futures_channel::oneshot;

/// Staging buffers. One is in use from submission until its batch has been waited for.
#[derive(Debug, Default)]
pub(super) struct Staging {
    buffers: Vec<(wgpu::Buffer, bool)>,
}

/// A readback under way.
#[derive(Debug)]
pub(super) struct Flight {
    staging: usize,
    lens: Vec<usize>,
    size: u64,
    submission: Option<wgpu::SubmissionIndex>,
    mapped: Option<oneshot::Receiver<bool>>,
}

impl Staging {
    /// Takes the smallest free buffer that holds the reads, or makes one.
    pub fn take(&mut self, gpu: &Gpu, made: &mut Counters, lens: Vec<usize>) -> Flight {
        let size = lens.iter().map(|&n| 4 * n as u64).sum::<u64>().max(4);
        let fits = self
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, (b, used))| !used && b.size() >= size);
        let staging = fits
            .min_by_key(|(_, (b, _))| b.size())
            .map(|(i, _)| i)
            .unwrap_or_else(|| self.make(gpu, made, size));
        self.buffers[staging].1 = true;
        Flight {
            staging,
            lens,
            size,
            submission: None,
            mapped: None,
        }
    }

    /// Makes buffers until that many can hold so many floats.
    pub fn reserve(&mut self, gpu: &Gpu, made: &mut Counters, reads: usize, floats: usize) {
        let size = 4 * floats as u64;
        let there = self.buffers.iter().filter(|(b, _)| b.size() >= size);
        for _ in there.count()..reads {
            self.make(gpu, made, size);
        }
    }

    fn make(&mut self, gpu: &Gpu, made: &mut Counters, size: u64) -> usize {
        // Rounded up, so that reads of nearly one size share their buffers.
        let size = size.next_power_of_two().max(1024);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.buffers
            .push((buffer(gpu, made, "staging", size, usage), false));
        self.buffers.len() - 1
    }

    /// The buffer a readback is copied into.
    pub fn of(&self, flight: &Flight) -> &wgpu::Buffer {
        &self.buffers[flight.staging].0
    }

    /// Asks for the mapping; to be called once the copy has been submitted.
    pub fn map(&self, flight: &mut Flight, submission: wgpu::SubmissionIndex) {
        let (tell, told) = oneshot::channel();
        self.of(flight)
            .map_async(wgpu::MapMode::Read, 0..flight.size, move |result| {
                // Nobody listening means that nobody waits for this batch any more.
                let _ = tell.send(result.is_ok());
            });
        flight.submission = Some(submission);
        flight.mapped = Some(told);
    }

    /// Waits for the mapping, copies the floats out and gives the buffer back.
    pub async fn finish(&mut self, gpu: &Gpu, flight: Flight) -> Result<Vec<Vec<f32>>, Fault> {
        let Flight {
            staging,
            lens,
            size,
            submission,
            mapped,
        } = flight;
        let arrived = match mapped {
            Some(mapped) => arrived(gpu, submission, mapped).await,
            None => false,
        };
        let lost = || Fault::DeviceLost("its memory could not be read".to_owned());
        let buffer = &self.buffers[staging].0;
        if !arrived {
            return Err(lost());
        }
        let Ok(view) = buffer.get_mapped_range(0..size) else {
            return Err(lost());
        };
        let mut words = view.chunks_exact(4);
        let reads = lens
            .iter()
            .map(|&n| {
                words
                    .by_ref()
                    .take(n)
                    .map(bytemuck::pod_read_unaligned)
                    .collect()
            })
            .collect();
        drop(view);
        buffer.unmap();
        self.buffers[staging].1 = false;
        Ok(reads)
    }

    /// Frees the device's memory now.
    pub fn destroy(&self) {
        for (buffer, _) in &self.buffers {
            buffer.destroy();
        }
    }
}

/// Natively nothing happens unless the device is polled.
#[cfg(not(target_arch = "wasm32"))]
async fn arrived(
    gpu: &Gpu,
    submission: Option<wgpu::SubmissionIndex>,
    mut mapped: oneshot::Receiver<bool>,
) -> bool {
    // A lost device answers the first poll with an error and the second with its callbacks.
    for submission_index in [submission, None] {
        let wait = wgpu::PollType::Wait {
            submission_index,
            timeout: None,
        };
        if caught(|| drop(gpu.device.poll(wait))).is_err() {
            gpu.report_lost("the driver gave it up");
            return false;
        }
        match mapped.try_recv() {
            Ok(Some(arrived)) => return arrived,
            Ok(None) => {}
            Err(oneshot::Canceled) => return false,
        }
    }
    false
}

/// A poll that finds the device lost by its driver panics: wgpu has no other way of saying so.
#[cfg(not(target_arch = "wasm32"))]
fn caught(poll: impl FnOnce()) -> std::thread::Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    #[test]
    fn a_panic_of_the_driver_is_caught() {
        assert!(super::caught(|| {}).is_ok());
        assert!(super::caught(|| std::panic::panic_any("lost")).is_err());
    }
}

/// In the browser the callback comes from the event loop.
#[cfg(target_arch = "wasm32")]
async fn arrived(
    _: &Gpu,
    _: Option<wgpu::SubmissionIndex>,
    mapped: oneshot::Receiver<bool>,
) -> bool {
    mapped.await.unwrap_or(false)
}
