use candle_core::{Device, Tensor};
use crosscurrent::config::{Attention, Width};
use crosscurrent::model::{Mode, Net, Spec};
use crosscurrent::train::sgd::Sgd;
use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.split_whitespace().collect();
    (f[13].parse::<f64>().unwrap() + f[14].parse::<f64>().unwrap()) / 100.0
}
fn main() -> anyhow::Result<()> {
    let reps: usize = std::env::args()
        .nth(1)
        .and_then(|x| x.parse().ok())
        .unwrap_or(8);
    for &width in Width::ALL {
        if std::env::args()
            .nth(2)
            .is_some_and(|w| w != width.to_string())
        {
            continue;
        }
        for attention in [Attention::None, Attention::Branch] {
            let spec = Spec {
                image: [32, 32, 3],
                classes: 10,
                width,
                attention,
            };
            let mut net = Net::new(spec, 0, &Device::Cpu)?;
            let mut sgd = Sgd::new(0.9, 5e-4);
            let x: Vec<f32> = (0..128 * 32 * 32 * 3)
                .map(|i| ((i * 7919) % 1013) as f32 / 506.0 - 1.0)
                .collect();
            let x = Tensor::from_vec(x, (128, 32, 32, 3), &Device::Cpu)?;
            let labels: Vec<u32> = (0..128).map(|i| i % 10).collect();
            let c0 = cpu();
            let mut times = vec![];
            let mut fw = vec![];
            crosscurrent::ops::profile::measure(true);
            for _ in 0..reps {
                let t = Instant::now();
                let mut out = net.forward(&net.weights(), &x, Mode::Train)?;
                let norms = std::mem::take(&mut out.norms);
                let loss = out.cross_entropy(&labels)?;
                fw.push(t.elapsed().as_secs_f64());
                let grads = loss.backward()?;
                let params = sgd.step(net.params().values(), &grads, 0.01)?;
                net.params_mut().set(params)?;
                net.update_norms(&norms);
                times.push(t.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            fw.sort_by(f64::total_cmp);
            println!(
                "{width} {attention}: {:.1} ms median, min {:.1}; forward {:.1}; cpu/2 {:.1}",
                times[reps / 2] * 1e3,
                times[0] * 1e3,
                fw[reps / 2] * 1e3,
                (cpu() - c0) / 2.0 / reps as f64 * 1e3
            );
            for (work, time) in crosscurrent::ops::profile::spent() {
                print!(
                    "{work:?} {:.1}  ",
                    time.as_secs_f64() * 1e3 / reps as f64 / 2.0
                );
            }
            println!();
        }
    }
    Ok(())
}
