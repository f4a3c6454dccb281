//! Positions of windows, and the conversion between volumes and windows.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

/// Windows over a stretch, one every `stride` volumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// Number of windows.
    pub count: usize,
    length: usize,
    stride: usize,
}

impl Windows {
    /// All whole windows in `time` volumes; one shorter window if `time` is less than `length`.
    pub fn of(time: usize, length: usize, stride: usize) -> Self {
        let length = length.min(time);
        Self {
            count: (time - length) / stride + 1,
            length,
            stride,
        }
    }

    /// Number of volumes that are in at least one window.
    pub fn covered(&self) -> usize {
        (self.count - 1) * self.stride + self.length
    }

    /// Volumes of each window, with `fringe` more at both ends.
    fn places(&self, fringe: usize) -> impl Iterator<Item = isize> {
        let (length, stride) = (self.length, self.stride);
        (0..self.count).flat_map(move |window| {
            let first = (window * stride) as isize - fringe as isize;
            (0..length + 2 * fringe).map(move |i| first + i as isize)
        })
    }

    fn indices(&self, fringe: usize, device: &Device) -> Tensor<1, Int> {
        let last = self.covered() as isize - 1;
        let indices: Vec<i64> = self
            .places(fringe)
            .map(|place| place.clamp(0, last) as i64)
            .collect();
        let n = indices.len();
        Tensor::from_data(TensorData::new(indices, [n]), device)
    }

    /// Volumes of each window: `[batch, covered, d]` to `[batch * count, length + 2 fringe, d]`.
    /// Positions beyond the ends repeat a volume; [`Windows::hidden`] hides them.
    pub fn cut(&self, x: Tensor<3>, fringe: usize) -> Tensor<3> {
        let [batch, _, d] = x.dims();
        let indices = self.indices(fringe, &x.device());
        let cut = x.select(1, indices);
        cut.reshape([batch * self.count, self.length + 2 * fringe, d])
    }

    /// Term added to attention scores: very low for positions beyond the ends, 0 elsewhere. The CLS
    /// token comes first. `[count, 1 + length + 2 fringe]`
    pub fn hidden(&self, fringe: usize, device: &Device) -> Tensor<2> {
        let keys = self.length + 2 * fringe;
        let mut values = Vec::with_capacity(self.count * (keys + 1));
        for (i, place) in self.places(fringe).enumerate() {
            if i % keys == 0 {
                values.push(0.0);
            }
            let inside = (0..self.covered() as isize).contains(&place);
            values.push(if inside { 0.0f32 } else { -1e9 });
        }
        Tensor::from_data(TensorData::new(values, [self.count, keys + 1]), device)
    }

    /// Mean of each volume over the windows that contain it: `[batch * count, length, d]` to
    /// `[batch, covered, d]`.
    pub fn fuse(&self, x: Tensor<3>) -> Tensor<3> {
        let [n, _, d] = x.dims();
        let batch = n / self.count;
        let device = x.device();
        let mut times = vec![0.0f32; self.covered()];
        self.places(0)
            .for_each(|place| times[place as usize] += 1.0);
        let times = TensorData::new(times, [1, self.covered(), 1]);
        let times = Tensor::<3>::from_data(times, &device);
        let sum = Tensor::<3>::zeros([batch, self.covered(), d], &device).select_assign(
            1,
            self.indices(0, &device),
            x.reshape([batch, self.count * self.length, d]),
            IndexingUpdateOp::Add,
        );
        sum / times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn windows_overlap_and_what_is_fused_is_what_was_cut() {
        let device = Device::flex();
        let windows = Windows::of(8, 4, 2); // 0..4, 2..6, 4..8
        assert_eq!((windows.count, windows.covered()), (3, 8));
        let values: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let x = Tensor::<3>::from_data(TensorData::new(values.clone(), [2, 8, 1]), &device);
        let cut = windows.cut(x, 0);
        assert_eq!(list(cut.clone())[..8], [0., 1., 2., 3., 2., 3., 4., 5.]);
        assert_eq!(list(windows.fuse(cut)), values);
    }

    #[test]
    fn the_fringe_is_hidden_beyond_the_ends() {
        let windows = Windows::of(5, 3, 2); // 0..3, 2..5
        let hidden = list(windows.hidden(1, &Device::flex()));
        assert_eq!(hidden, [0., -1e9, 0., 0., 0., 0., 0., 0., 0., 0., 0., -1e9]);
    }

    #[test]
    fn a_short_stretch_is_one_window() {
        let windows = Windows::of(5, 20, 8);
        assert_eq!((windows.count, windows.covered()), (1, 5));
    }
}
