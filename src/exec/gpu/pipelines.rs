//! Everything made once, when a plan is recorded: buffers, params, bind groups. Pipelines are only
//! noted: each is made when a program that needs it first runs.

use super::compiled::Compiled;
use super::device::Gpu;
use crate::exec::Counters;
use crate::kernels::{Access, Kernel, Replica, Step};
use crate::plan::{Node, Plan};
use crate::protocol::Fault;
use std::collections::BTreeMap;

/// Distance between the entries of a uniform table with dynamic offsets: WebGPU's alignment.
pub(super) const STRIDE: u64 = 256;
/// Entries of the step table: the most steps of one submission.
pub(super) const SLOTS: usize = 512;
/// Every storage buffer is a multiple of this, so that a shader may view it as vec4s.
const LEAST: u64 = 16;
/// Workgroups one dimension of a dispatch may have.
const GROUPS: u32 = 65_535;

/// One kernel launch, ready to be encoded.
#[derive(Debug)]
pub(super) struct Launch {
    pub pipeline: usize,
    pub bindings: wgpu::BindGroup,
    pub grid: [u32; 3],
}

/// One program, ready to be encoded.
#[derive(Debug)]
pub(super) struct Recorded {
    pub launches: Vec<Launch>,
    pub tables: wgpu::BindGroup,
    pub replicas: wgpu::Buffer,
    pub count: usize,
    /// Its pipelines have been made.
    pub ready: bool,
}

/// A recorded plan.
#[derive(Debug)]
pub(super) struct Recording {
    pub buffers: Vec<wgpu::Buffer>,
    pub pipelines: Compiled,
    pub programs: Vec<Recorded>,
    pub steps: wgpu::Buffer,
    pub params: wgpu::Buffer,
    pub counters: Counters,
}

impl Recording {
    /// Makes everything a plan needs.
    pub async fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, Fault> {
        gpu.fault(plan.bytes())?;
        let mut made = Counters::default();
        let buffers = allocate(gpu, plan, &mut made).await?;
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let recording = Maker {
            gpu,
            plan,
            made,
            layouts: BTreeMap::new(),
        }
        .record(buffers);
        // Popped before anything is awaited: scopes belong to this thread.
        let error = scope.pop().await;
        let recording = recording?;
        let fault = match error {
            Some(error) => Err(Fault::Internal(error.to_string())),
            None => gpu.fault(plan.bytes()),
        };
        if let Err(fault) = fault {
            recording.destroy();
            return Err(fault);
        }
        Ok(recording)
    }

    /// Makes the pipelines of a program, unless it has run before.
    pub fn ready(&mut self, gpu: &Gpu, program: usize, counters: &mut Counters) {
        let Some(program) = self.programs.get_mut(program).filter(|p| !p.ready) else {
            return;
        };
        for launch in &program.launches {
            self.pipelines.make(gpu, launch.pipeline, counters);
        }
        program.ready = true;
    }

    /// Frees the device's memory now: in the browser a drop frees nothing.
    pub fn destroy(&self) {
        let tables = self.programs.iter().map(|p| &p.replicas);
        for buffer in self
            .buffers
            .iter()
            .chain(tables)
            .chain([&self.steps, &self.params])
        {
            buffer.destroy();
        }
    }
}

/// Allocates the plan's buffers, each under its own error scope, so that the fault can say how much
/// there was.
async fn allocate(gpu: &Gpu, plan: &Plan, made: &mut Counters) -> Result<Vec<wgpu::Buffer>, Fault> {
    if let Some(large) = plan
        .buffers
        .iter()
        .map(|b| bytes(b.len))
        .find(|&n| n > gpu.largest)
    {
        return Err(Fault::OutOfMemory {
            needed: large,
            limit: gpu.largest,
        });
    }
    let mut buffers = Vec::with_capacity(plan.buffers.len());
    let mut errors = Vec::with_capacity(plan.buffers.len());
    for decl in &plan.buffers {
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_DST
            | wgpu::BufferUsages::COPY_SRC;
        buffers.push(buffer(gpu, made, &decl.name, bytes(decl.len), usage));
        errors.push(scope.pop());
    }
    let mut allocated = 0;
    for (error, decl) in errors.into_iter().zip(&plan.buffers) {
        if error.await.is_some() {
            buffers.iter().for_each(wgpu::Buffer::destroy);
            return Err(Fault::OutOfMemory {
                needed: plan.bytes(),
                limit: allocated,
            });
        }
        allocated += bytes(decl.len);
    }
    Ok(buffers)
}

/// Bytes of a buffer of 32-bit elements.
fn bytes(len: usize) -> u64 {
    (4 * len.max(1) as u64).next_multiple_of(LEAST)
}

pub(super) fn buffer(
    gpu: &Gpu,
    made: &mut Counters,
    name: &str,
    size: u64,
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    made.buffers_created += 1;
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(name),
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// What all pipelines of one kernel share.
struct Layout {
    bindings: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

struct Maker<'a> {
    gpu: &'a Gpu,
    plan: &'a Plan,
    made: Counters,
    layouts: BTreeMap<&'static str, Layout>,
}

impl Maker<'_> {
    fn record(mut self, buffers: Vec<wgpu::Buffer>) -> Result<Recording, Fault> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        // A batch that reads nothing back reads one word of the step table to be told its end.
        let readable = usage | wgpu::BufferUsages::COPY_SRC;
        let size = STRIDE * SLOTS as u64;
        let steps = buffer(self.gpu, &mut self.made, "steps", size, readable);
        let nodes: usize = self.plan.programs.iter().map(|p| p.nodes.len()).sum();
        let size = STRIDE * nodes.max(1) as u64;
        let params = buffer(self.gpu, &mut self.made, "params", size, usage);
        let tables = self.tables_layout();
        let mut pipelines = Compiled::default();
        let mut programs = Vec::new();
        let mut written = vec![0u8; usize::try_from(size).unwrap_or(0)];
        let mut node_index = 0;
        for program in &self.plan.programs {
            let count = program.replicas;
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
            let size = (count.max(1) * size_of::<Replica>()) as u64;
            let replicas = buffer(self.gpu, &mut self.made, "replicas", size, usage);
            self.made.bind_groups_created += 1;
            let group = self
                .gpu
                .device
                .create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("tables"),
                    layout: &tables,
                    entries: &[
                        entry(0, &steps, 0, size_of::<Step>() as u64),
                        entry(1, &replicas, 0, size),
                    ],
                });
            let mut launches = Vec::new();
            for node in &program.nodes {
                let at = STRIDE * node_index;
                put(&mut written, at, &node.params);
                node_index += 1;
                let [x, y] = (node.kernel.grid)(&node.consts);
                let z = u32::try_from(count).unwrap_or(u32::MAX);
                if x.max(y).max(z) > GROUPS {
                    return Err(Fault::Internal(format!(
                        "{}: {x}×{y}×{z} workgroups are more than a device takes",
                        node.kernel.name
                    )));
                }
                let layout = &self.layout(&tables, node.kernel).pipeline;
                let pipeline = pipelines.index(node.kernel, &node.consts, layout);
                let bindings = self.bind(node, &buffers, &params, at);
                launches.push(Launch {
                    pipeline,
                    bindings,
                    grid: [x, y, z],
                });
            }
            programs.push(Recorded {
                launches,
                tables: group,
                replicas,
                count,
                ready: false,
            });
        }
        self.gpu.queue.write_buffer(&params, 0, &written);
        Ok(Recording {
            buffers,
            pipelines,
            programs,
            steps,
            params,
            counters: self.made,
        })
    }

    /// Group 1, the same for every kernel: this step and the replica table.
    fn tables_layout(&self) -> wgpu::BindGroupLayout {
        let step = wgpu::BufferBindingType::Uniform;
        let replicas = wgpu::BufferBindingType::Storage { read_only: true };
        self.gpu
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("tables"),
                entries: &[
                    layout_entry(0, step, true, size_of::<Step>() as u64),
                    layout_entry(1, replicas, false, size_of::<Replica>() as u64),
                ],
            })
    }

    fn layout(&mut self, tables: &wgpu::BindGroupLayout, kernel: &'static Kernel) -> &Layout {
        let device = &self.gpu.device;
        self.layouts.entry(kernel.name).or_insert_with(|| {
            let mut entries = Vec::new();
            if !kernel.params.is_empty() {
                let size = 4 * kernel.params.len() as u64;
                entries.push(layout_entry(
                    0,
                    wgpu::BufferBindingType::Uniform,
                    false,
                    size,
                ));
            }
            for (i, binding) in (1..).zip(kernel.bindings) {
                let read_only = binding.access == Access::Read;
                let ty = wgpu::BufferBindingType::Storage { read_only };
                entries.push(layout_entry(i, ty, false, LEAST));
            }
            let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(kernel.name),
                entries: &entries,
            });
            let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(kernel.name),
                bind_group_layouts: &[Some(&bindings), Some(tables)],
                immediate_size: 0,
            });
            Layout { bindings, pipeline }
        })
    }

    fn bind(
        &mut self,
        node: &Node,
        buffers: &[wgpu::Buffer],
        params: &wgpu::Buffer,
        at: u64,
    ) -> wgpu::BindGroup {
        let mut entries = Vec::new();
        if !node.params.is_empty() {
            entries.push(entry(
                0,
                params,
                at,
                (4 * node.params.len() as u64).next_multiple_of(16),
            ));
        }
        for (i, b) in (1..).zip(&node.buffers) {
            entries.push(entry(i, &buffers[b.0], 0, buffers[b.0].size()));
        }
        self.made.bind_groups_created += 1;
        // The pipeline of this node has its index, so its kernel has its layout.
        let layout = &self.layouts[node.kernel.name].bindings;
        self.gpu
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(node.kernel.name),
                layout,
                entries: &entries,
            })
    }
}

fn entry(binding: u32, buffer: &wgpu::Buffer, offset: u64, size: u64) -> wgpu::BindGroupEntry<'_> {
    let size = wgpu::BufferSize::new(size);
    wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset,
            size,
        }),
    }
}

fn layout_entry(
    binding: u32,
    ty: wgpu::BufferBindingType,
    has_dynamic_offset: bool,
    least: u64,
) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset,
            min_binding_size: wgpu::BufferSize::new(least),
        },
        count: None,
    }
}

/// Copies words into bytes at an offset; what does not fit is the caller's mistake and left out.
fn put(bytes: &mut [u8], at: u64, words: &[u32]) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let from: &[u8] = bytemuck::cast_slice(words);
    if let Some(to) = at
        .checked_add(from.len())
        .and_then(|end| bytes.get_mut(at..end))
    {
        to.copy_from_slice(from);
    }
}
