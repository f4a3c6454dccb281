//! Products of tiles of rows with tiles of classes, in registers.

use pulp::Simd;

/// Rows of a tile.
pub const ROWS: usize = 3;
/// Classes of a tile. Twelve sums of a tile, its classes and one row are 17 registers; a machine
/// with 16 reads the row from memory.
pub const CLASSES: usize = 4;
/// Chunks of a tile of the gradient. A chunk is as many columns as a register has numbers.
pub const CHUNKS: usize = 3;

/// Chunks whose rows and weights stay in the fastest cache while all tiles of a block use them:
/// 17 kB of 9 rows and 16 kB of 8 classes, if a register has 64 bytes.
const SPAN: usize = 30;

/// Places of rows, weights and sums in memory. All are filled up with zeros to whole tiles.
#[derive(Clone, Copy, Debug)]
pub struct Tiles {
    /// Numbers in a register.
    pub lanes: usize,
    /// Chunks of a row, whole tiles of the gradient.
    n_chunks: usize,
    /// Classes.
    pub n_classes: usize,
}

impl Tiles {
    /// Places for rows of `n_columns` and for `n_classes`, on a machine with `lanes` numbers in a
    /// register.
    pub fn new(lanes: usize, n_columns: usize, n_classes: usize) -> Self {
        let n_chunks = n_columns.div_ceil(lanes).next_multiple_of(CHUNKS);
        Self {
            lanes,
            n_chunks,
            n_classes,
        }
    }

    /// Tiles of classes.
    fn class_tiles(&self) -> usize {
        self.n_classes.div_ceil(CLASSES)
    }

    /// Classes in whole tiles.
    pub fn n_classes_padded(&self) -> usize {
        self.class_tiles() * CLASSES
    }

    /// Numbers in a tile of rows.
    pub fn of_rows(&self) -> usize {
        self.n_chunks * ROWS * self.lanes
    }

    /// Numbers in all weights, and in their gradient.
    pub fn of_weights(&self) -> usize {
        self.n_classes_padded() * self.n_chunks * self.lanes
    }

    /// Numbers in the logits of a tile of rows, before the sum over lanes.
    pub fn of_sums(&self) -> usize {
        self.n_classes_padded() * ROWS * self.lanes
    }

    /// Place in a tile of rows: `[chunks][ROWS][lanes]`.
    pub fn in_rows(&self, row: usize, column: usize) -> usize {
        let (chunk, lane) = (column / self.lanes, column % self.lanes);
        (chunk * ROWS + row) * self.lanes + lane
    }

    /// Place of a chunk in the weights: `[tiles of classes][chunks][CLASSES][lanes]`.
    pub fn in_weights(&self, class: usize, chunk: usize) -> usize {
        let tile = class / CLASSES * self.n_chunks + chunk;
        (tile * CLASSES + class % CLASSES) * self.lanes
    }

    /// Place of a chunk in the gradient: `[tiles of classes][tiles of
    /// chunks][CLASSES][CHUNKS][lanes]`.
    pub fn in_slope(&self, class: usize, chunk: usize) -> usize {
        let tile = class / CLASSES * (self.n_chunks / CHUNKS) + chunk / CHUNKS;
        let in_tile = class % CLASSES * CHUNKS + chunk % CHUNKS;
        (tile * CLASSES * CHUNKS + in_tile) * self.lanes
    }

    /// From the `sums` of the [`logits`] of `n_tiles` tiles of rows: the sum of the losses of all
    /// rows that have a truth, and the distance of their probabilities from it, `apart` `[tiles of
    /// classes][rows][CLASSES]`, 0 for other rows and classes.
    pub fn distances(&self, sums: &[f64], truth: &[f64], n_tiles: usize, apart: &mut [f64]) -> f64 {
        let n_rows = n_tiles * ROWS;
        let mut loss = 0.0;
        let mut logits = vec![0.0; self.n_classes];
        apart.fill(0.0);
        for (row, class) in truth.iter().enumerate() {
            for (k, logit) in logits.iter_mut().enumerate() {
                let tile = row / ROWS * self.n_classes_padded() + k;
                let from = (tile * ROWS + row % ROWS) * self.lanes;
                *logit = sums[from..from + self.lanes].iter().sum();
            }
            let class = *class as usize;
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let own = logits[class] - largest;
            let mut total = 0.0;
            for logit in &mut logits {
                *logit = (*logit - largest).exp();
                total += *logit;
            }
            loss += total.ln() - own;
            for (k, exp) in logits.iter().enumerate() {
                let at = (k / CLASSES * n_rows + row) * CLASSES + k % CLASSES;
                apart[at] = exp / total - f64::from(u8::from(k == class));
            }
        }
        loss
    }
}

/// Products of rows and weights, `sums` `[tiles of rows][tiles of classes][CLASSES][ROWS][lanes]`;
/// the sum over lanes is a logit. `rows` are whole tiles.
#[inline(always)]
pub fn logits<S: Simd>(simd: S, tiles: Tiles, rows: &[f64], weights: &[f64], sums: &mut [f64]) {
    sums.fill(0.0);
    let class_tiles = tiles.class_tiles();
    let (sums, _) = S::as_mut_simd_f64s(sums)
        .0
        .as_chunks_mut::<{ CLASSES * ROWS }>();
    let mut from = 0;
    while from < tiles.n_chunks {
        let to = (from + SPAN).min(tiles.n_chunks);
        for (rows, sums) in rows
            .chunks_exact(tiles.of_rows())
            .zip(sums.chunks_exact_mut(class_tiles))
        {
            let rows = &rows[from * ROWS * tiles.lanes..to * ROWS * tiles.lanes];
            let (rows, _) = S::as_simd_f64s(rows).0.as_chunks::<ROWS>();
            for (tile, sum) in sums.iter_mut().enumerate() {
                let [first, end] = [from, to].map(|at| tile * tiles.n_chunks + at);
                let size = CLASSES * tiles.lanes;
                let weights = S::as_simd_f64s(&weights[first * size..end * size]).0;
                let (weights, _) = weights.as_chunks::<CLASSES>();
                let mut total = *sum;
                for (x, w) in rows.iter().zip(weights) {
                    for (k, w) in w.iter().enumerate() {
                        for (i, x) in x.iter().enumerate() {
                            let at = k * ROWS + i;
                            total[at] = simd.mul_add_e_f64s(*x, *w, total[at]);
                        }
                    }
                }
                *sum = total;
            }
        }
        from = to;
    }
}

/// Adds rows times their factors `apart` `[tiles of classes][rows][CLASSES]` to `slope`. `rows` are
/// whole tiles.
#[inline(always)]
pub fn slope<S: Simd>(simd: S, tiles: Tiles, rows: &[f64], apart: &[f64], slope: &mut [f64]) {
    let n_rows = rows.len() / tiles.of_rows() * ROWS;
    let groups = tiles.n_chunks / CHUNKS;
    let (slope, _) = S::as_mut_simd_f64s(slope)
        .0
        .as_chunks_mut::<{ CLASSES * CHUNKS }>();
    let (apart, _) = apart.as_chunks::<CLASSES>();
    for group in 0..groups {
        for tile in 0..tiles.class_tiles() {
            let total = &mut slope[tile * groups + group];
            let mut sum = *total;
            let apart = &apart[tile * n_rows..(tile + 1) * n_rows];
            for (rows, apart) in rows
                .chunks_exact(tiles.of_rows())
                .zip(apart.as_chunks::<ROWS>().0)
            {
                let size = CHUNKS * ROWS * tiles.lanes;
                let rows = S::as_simd_f64s(&rows[group * size..(group + 1) * size]).0;
                let Some(x) = rows.first_chunk::<{ CHUNKS * ROWS }>() else {
                    continue;
                };
                for (i, apart) in apart.iter().enumerate() {
                    for (k, factor) in apart.iter().enumerate() {
                        let factor = simd.splat_f64s(*factor);
                        for c in 0..CHUNKS {
                            let at = k * CHUNKS + c;
                            sum[at] = simd.mul_add_e_f64s(factor, x[c * ROWS + i], sum[at]);
                        }
                    }
                }
            }
            *total = sum;
        }
    }
}
