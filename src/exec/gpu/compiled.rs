//! Pipelines, each made once: when a program that needs it first runs. Compiling a shader is the
//! dearest thing a run does before its first step, and most programs are needed only later.

use super::device::Gpu;
use crate::exec::Counters;
use crate::kernels::{Kernel, resolve};
use std::collections::BTreeMap;

/// What a pipeline is made of, and the pipeline once it is.
#[derive(Debug)]
struct Recipe {
    kernel: &'static Kernel,
    consts: Vec<u32>,
    layout: wgpu::PipelineLayout,
    made: Option<wgpu::ComputePipeline>,
}

/// The pipelines of a plan.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    recipes: Vec<Recipe>,
    modules: BTreeMap<&'static str, wgpu::ShaderModule>,
}

impl Compiled {
    /// The index of the pipeline of a kernel with these consts: the same for all launches that share it.
    pub fn index(
        &mut self,
        kernel: &'static Kernel,
        consts: &[u32],
        layout: &wgpu::PipelineLayout,
    ) -> usize {
        let same = |r: &Recipe| r.kernel.name == kernel.name && r.consts == consts;
        self.recipes.iter().position(same).unwrap_or_else(|| {
            self.recipes.push(Recipe {
                kernel,
                consts: consts.to_vec(),
                layout: layout.clone(),
                made: None,
            });
            self.recipes.len() - 1
        })
    }

    /// The pipeline of that index; none before [`Compiled::make`].
    pub fn get(&self, index: usize) -> Option<&wgpu::ComputePipeline> {
        self.recipes.get(index).and_then(|r| r.made.as_ref())
    }

    /// Makes the pipeline of that index, unless it is there. What the device refuses it reports later.
    pub fn make(&mut self, gpu: &Gpu, index: usize, counters: &mut Counters) {
        let Some(recipe) = self.recipes.get_mut(index).filter(|r| r.made.is_none()) else {
            return;
        };
        let kernel = recipe.kernel;
        let module = self.modules.entry(kernel.name).or_insert_with(|| {
            gpu.device
                .create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(kernel.name),
                    source: wgpu::ShaderSource::Wgsl(resolve(kernel.source).into()),
                })
        });
        let values = recipe.consts.iter().map(|&v| f64::from(v));
        let constants: Vec<(&str, f64)> = kernel.consts.iter().copied().zip(values).collect();
        counters.pipelines_created += 1;
        recipe.made = Some(
            gpu.device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(kernel.name),
                    layout: Some(&recipe.layout),
                    module,
                    entry_point: Some("main"),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &constants,
                        ..Default::default()
                    },
                    cache: None,
                }),
        );
    }
}
