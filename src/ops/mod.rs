//! Tensor operations that candle lacks, gets wrong or runs slowly. Activations are [N, H, W, C] throughout.
//!
//! Each is one function with its own backward pass. On the CPU the elementwise work runs in plain loops over all
//! threads, with sums in a fixed order whatever the thread count; on other devices it is made of candle operations
//! that are right there. Tests hold the two against each other.

mod act;
mod conv;
mod cpu;
mod norm;
mod pool;
mod portable;

pub use act::{relu, scale_channels};
pub use conv::{DEVICE_COLUMN_VALUES, conv2d};
pub use norm::{BatchStats, batch_norm_eval, batch_norm_train};
pub use pool::{max_pool, mean_pool};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Storage, Tensor,
};

type Backward = Box<dyn Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// A result that was computed already, with its own backward pass: what PyTorch calls an autograd function.
///
/// candle asks a custom operation for its forward pass on raw storage; ours is computed with tensors beforehand, so
/// "forward" hands out a copy of it.
struct Function {
    name: &'static str,
    out: Tensor,
    backward: Backward,
}

impl Function {
    fn new(
        name: &'static str,
        out: Tensor,
        backward: impl Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            out,
            backward: Box::new(backward),
        }
    }

    /// Attaches the function to the arguments it was computed from: one to three of them.
    fn attach(self, arguments: &[&Tensor]) -> Result<Tensor> {
        if !arguments.iter().any(|argument| argument.track_op()) {
            return Ok(self.out);
        }
        match *arguments {
            [a] => a.apply_op1(self),
            [a, b] => a.apply_op2(b, self),
            [a, b, c] => a.apply_op3(b, c, self),
            _ => candle_core::bail!(
                "{} takes one to three tensors, not {}",
                self.name,
                arguments.len()
            ),
        }
    }

    fn cpu(&self) -> Result<(CpuStorage, Shape)> {
        match &*self.out.storage_and_layout().0 {
            Storage::Cpu(storage) => Ok((storage.clone(), self.out.shape().clone())),
            _ => candle_core::bail!("{}: the result is not on the CPU", self.name),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda(&self) -> Result<(candle_core::CudaStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        match &*self.out.storage_and_layout().0 {
            Storage::Cuda(storage) => Ok((
                storage.try_clone(self.out.layout())?,
                self.out.shape().clone(),
            )),
            _ => candle_core::bail!("{}: the result is not on the CUDA device", self.name),
        }
    }

    #[cfg(feature = "metal")]
    fn metal(&self) -> Result<(candle_core::MetalStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        match &*self.out.storage_and_layout().0 {
            Storage::Metal(storage) => Ok((
                storage.try_clone(self.out.layout())?,
                self.out.shape().clone(),
            )),
            _ => candle_core::bail!("{}: the result is not on the Metal device", self.name),
        }
    }

    /// Gradients of the arguments; `grad` may come in any layout.
    fn gradients<const N: usize>(&self, grad: &Tensor) -> Result<[Option<Tensor>; N]> {
        let gradients = (self.backward)(&grad.contiguous()?)?;
        gradients.try_into().map_err(|_| {
            candle_core::Error::Msg(format!("{}: wrong number of gradients", self.name))
        })
    }
}

impl CustomOp1 for Function {
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }
    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        self.cuda()
    }
    #[cfg(feature = "metal")]
    fn metal_fwd(
        &self,
        _: &candle_core::MetalStorage,
        _: &Layout,
    ) -> Result<(candle_core::MetalStorage, Shape)> {
        self.metal()
    }
    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let [a] = self.gradients(grad)?;
        Ok(a)
    }
}

impl CustomOp2 for Function {
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }
    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        self.cuda()
    }
    #[cfg(feature = "metal")]
    fn metal_fwd(
        &self,
        _: &candle_core::MetalStorage,
        _: &Layout,
        _: &candle_core::MetalStorage,
        _: &Layout,
    ) -> Result<(candle_core::MetalStorage, Shape)> {
        self.metal()
    }
    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [a, b] = self.gradients(grad)?;
        Ok((a, b))
    }
}

impl CustomOp3 for Function {
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }
    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        self.cuda()
    }
    #[cfg(feature = "metal")]
    fn metal_fwd(
        &self,
        _: &candle_core::MetalStorage,
        _: &Layout,
        _: &candle_core::MetalStorage,
        _: &Layout,
        _: &candle_core::MetalStorage,
        _: &Layout,
    ) -> Result<(candle_core::MetalStorage, Shape)> {
        self.metal()
    }
    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [a, b, c] = self.gradients(grad)?;
        Ok((a, b, c))
    }
}

/// Runs `work` on the path of other devices, with CPU tensors, so that it is tested without one.
#[cfg(test)]
pub(crate) fn on_portable_path<T>(work: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            cpu::PORTABLE.set(self.0);
        }
    }
    let _back = Back(cpu::PORTABLE.replace(true));
    work()
}

#[cfg(test)]
mod tests;
