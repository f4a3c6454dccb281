//! Example: the mean of numbers with its 95 % interval over units;
//! `cargo run --example interval -- 0.41 0.52 0.39`.

use std::error::Error;

use brainmae_run::Seeds;
use brainmae_statistics::bootstrap_mean;

fn main() -> Result<(), Box<dyn Error>> {
    let mut values: Vec<f64> = std::env::args()
        .skip(1)
        .map(|number| number.parse())
        .collect::<Result<_, _>>()?;
    if values.is_empty() {
        values = vec![0.41, 0.52, 0.39, 0.47];
    }
    let mean = bootstrap_mean(&values, 2000, &Seeds::new(1));
    println!("{:.3} [{:.3}, {:.3}]", mean.mean, mean.low, mean.high);
    Ok(())
}
