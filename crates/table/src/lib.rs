#![doc = include_str!("../README.md")]

mod cell;
mod column;
mod csv_text;
mod error;
mod parquet_file;
mod stream;
mod table;
mod values;

pub use cell::Cell;
pub use column::Column;
pub use error::TableError;
pub use stream::TableStream;
pub use table::Table;
