//! ReLU with PyTorch's gradient at 0, and the product with a gate.

use candle_core::{Result, Tensor};

use super::{Function, cpu, norm};

/// max(x, 0) with gradient 0 at 0 (candle's own has 1 there, PyTorch's 0).
///
/// # Errors
/// Only where candle fails.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    let out = norm::rectify(&x.detach().contiguous()?)?;
    let active = out.clone();
    Function::new("relu", out, move |grad| {
        Ok(vec![Some(norm::mask_positive(grad, &active)?)])
    })
    .attach(&[x])
}

/// `x` [N, H, W, C] times `gate` [N, C], the same for every pixel.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn scale_channels(x: &Tensor, gate: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    if gate.dims() != [n, c] {
        candle_core::bail!(
            "scale_channels: gate {:?} does not fit input {:?}",
            gate.shape(),
            x.shape()
        );
    }
    let (input, factors) = (x.detach().contiguous()?, gate.detach().contiguous()?);
    let out = product(&input, &factors)?;
    Function::new("scale_channels", out, move |grad| {
        let gate_grad = if cpu::is_cpu(&input) {
            let values = cpu::with(&input, |x| {
                cpu::with(grad, |grad| {
                    cpu::map_rows(n, c, |sample, out| {
                        for pixel in sample * h * w..(sample + 1) * h * w {
                            let at = pixel * c..(pixel + 1) * c;
                            let terms = x[at.clone()].iter().zip(&grad[at]);
                            out.iter_mut()
                                .zip(terms)
                                .for_each(|(out, (x, grad))| *out += x * grad);
                        }
                    })
                })
            })??;
            Tensor::from_vec(values, (n, c), input.device())?
        } else {
            input.mul(grad)?.reshape((n, h * w, c))?.sum(1)?
        };
        Ok(vec![Some(product(grad, &factors)?), Some(gate_grad)])
    })
    .attach(&[x, gate])
}

fn product(x: &Tensor, gate: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    if !cpu::is_cpu(x) {
        return x.broadcast_mul(&gate.reshape((n, 1, 1, c))?);
    }
    let out = cpu::with(x, |x| {
        cpu::with(gate, |gate| {
            cpu::map_rows(n * h * w, c, |pixel, out| {
                let gate = &gate[pixel / (h * w) * c..][..c];
                let x = &x[pixel * c..][..c];
                out.iter_mut()
                    .zip(x)
                    .zip(gate)
                    .for_each(|((out, x), gate)| *out = x * gate);
            })
        })
    })??;
    Tensor::from_vec(out, x.shape(), x.device())
}
