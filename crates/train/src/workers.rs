//! Workers: the devices and threads that compute the parts of a batch.

use burn::tensor::Device;

/// Devices of a process, which compute parts of a batch in turn: the model's device, then the
/// others.
///
/// No result depends on the workers, because gradients are summed on the model's device in the
/// order of the parts.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Devices other than the model's, with autodiff. Each gets a copy of the model at every step.
    pub others: Vec<Device>,
    /// Number of parts that a device computes at once, each on its own thread.
    pub per_device: usize,
}

impl Workers {
    /// Only the model's device, with `per_device` parts at once.
    pub fn on_one_device(per_device: usize) -> Self {
        Self {
            others: Vec::new(),
            per_device,
        }
    }

    /// Number of devices.
    pub fn n_devices(&self) -> usize {
        1 + self.others.len()
    }

    /// Number of parts that are computed at once.
    pub fn n_at_a_time(&self) -> usize {
        self.n_devices() * self.per_device.max(1)
    }
}
