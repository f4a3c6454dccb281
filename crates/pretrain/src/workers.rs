//! Where the parts of a batch are computed.

use burn::tensor::Device;

/// The devices of a process that parts of a batch go to in turn: the one where the model is, then
/// the others.
///
/// No result depends on the workers: gradients are summed on the model's device, in the order of
/// the parts.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Devices beside the model's, with autodiff. Each gets a copy of the model at every step.
    pub others: Vec<Device>,
    /// Parts that a device computes at a time, each on a thread of its own.
    pub per_device: usize,
}

impl Workers {
    /// The model's device alone, computing `per_device` parts at a time.
    pub fn on_one_device(per_device: usize) -> Self {
        Self {
            others: Vec::new(),
            per_device,
        }
    }

    /// How many devices there are.
    pub fn n_devices(&self) -> usize {
        1 + self.others.len()
    }

    /// Parts that are computed at a time.
    pub fn n_at_a_time(&self) -> usize {
        self.n_devices() * self.per_device.max(1)
    }
}
