//! Devices and threads of this machine.
//!
//! `cargo run -p brainmae-machine --example this_machine`

use brainmae_machine::device::{DeviceName, gpus};
use brainmae_machine::libtorch::{found, version_of};
use brainmae_machine::local::Local;
use brainmae_model::Precision;

const DEVICES: [DeviceName; 3] = [
    DeviceName::Cpu,
    DeviceName::LibTorchCpu,
    DeviceName::LibTorchCuda(0),
];
const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Tf32, Precision::Bf16];

fn main() {
    let local = Local::this();
    println!(
        "process {} of {} on this machine, {} threads",
        local.rank + 1,
        local.size,
        local.threads()
    );
    println!("GPUs that this program sees: {}", gpus());
    for device in DEVICES {
        let precisions = PRECISIONS.map(|precision| match device.lacks(precision) {
            None => precision.to_string(),
            Some(_) => format!("no {precision}"),
        });
        println!("{device}: {}; {}", precisions.join(", "), state(device));
    }
}

/// Whether a device can be opened by this program, or by one that is built for it.
fn state(device: DeviceName) -> String {
    match (device.open(), device.half()) {
        (Ok(_), _) => "ready".to_string(),
        (Err(error), None) => format!("{error:#}"),
        (Err(_), Some(half)) => match found(half) {
            None => "LibTorch is not on this machine".to_string(),
            Some(folder) => {
                let version = version_of(&folder).unwrap_or_else(|| "of no version".into());
                format!("LibTorch {version} is in {}", folder.display())
            }
        },
    }
}
