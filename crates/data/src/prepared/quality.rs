//! Columns of the quality of scans in `scans.parquet`.

use super::ScanRecord;
use brainmae_signals::cleaning::ScanQuality;
use brainmae_table::{Column, Table, TableError};

/// Names of the columns, in the order of [`values`].
const NAMES: [&str; 4] = [
    "mean_filtered_fd_mm",
    "censored_share",
    "kept_minutes",
    "mean_dvars_percent",
];

fn values(quality: &ScanQuality) -> [Option<f64>; 4] {
    [
        quality.mean_filtered_fd_mm,
        quality.censored_share,
        quality.kept_minutes,
        quality.mean_dvars_percent,
    ]
}

/// The columns of these scans.
pub(super) fn columns(scans: &[ScanRecord]) -> impl Iterator<Item = Column> {
    NAMES.into_iter().enumerate().map(|(at, name)| {
        let cells: Vec<Option<f64>> = scans.iter().map(|scan| values(&scan.quality)[at]).collect();
        Column::new(name, cells)
    })
}

/// The quality of each scan; nothing is known where a column is missing.
pub(super) fn read(table: &Table) -> Result<Vec<ScanQuality>, TableError> {
    let column = |name: &str| match table.names().any(|found| found == name) {
        true => table.optional_numbers(name),
        false => Ok(vec![None; table.height()]),
    };
    let [fd, share, minutes, dvars] = NAMES.map(column);
    let (fd, share, minutes, dvars) = (fd?, share?, minutes?, dvars?);
    Ok((0..table.height())
        .map(|row| ScanQuality {
            mean_filtered_fd_mm: fd[row],
            censored_share: share[row],
            kept_minutes: minutes[row],
            mean_dvars_percent: dvars[row],
        })
        .collect())
}

impl ScanRecord {
    /// Names and values of the columns that tell how well the scan was acquired, in a fixed order:
    /// head movement, censored volumes, minutes, DVARS.
    pub fn quality_columns(&self) -> [(&'static str, Option<f64>); 5] {
        let [fd, share, minutes, dvars] = values(&self.quality);
        [
            ("mean_fd_mm", self.mean_fd_mm),
            (NAMES[0], fd),
            (NAMES[1], share),
            (NAMES[2], minutes),
            (NAMES[3], dvars),
        ]
    }
}
