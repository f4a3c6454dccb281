//! A table as CSV: of a parquet file, or one that is made here;
//! `cargo run -p brainmae-table --example show_table -- scores.parquet`.

use std::error::Error;
use std::path::Path;

use brainmae_table::{Column, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let table = match std::env::args().nth(1) {
        Some(path) => Table::read(Path::new(&path))?,
        None => Table::new(
            3,
            vec![
                Column::new("roi", ["vis", "mot", "dmn"]),
                Column::new("network", [Some("visual"), Some("motor"), None]),
                Column::new("mean", [0.5, -1.25, 3.0]),
            ],
        )?,
    };
    print!("{}", String::from_utf8_lossy(&table.to_csv()?));
    Ok(())
}
