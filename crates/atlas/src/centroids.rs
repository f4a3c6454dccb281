//! Centroids of ROIs from a table in the format of CBIG: `ROI Label,ROI Name,R,A,S`.

use std::path::Path;

use brainmae_files::CommonErrors as _;

use crate::error::{AtlasError, CentroidProblem};
use crate::naming::is_background;

/// The header of the table, in lower case.
const HEADER: [&str; 5] = ["roi label", "roi name", "r", "a", "s"];

/// One row: the centroid of an ROI.
#[derive(Clone, Debug, PartialEq)]
pub struct Centroid {
    /// Key of the ROI in the label image.
    pub label: u32,
    /// Name of the ROI.
    pub name: String,
    /// Right, anterior, superior, in mm.
    pub mm: [f32; 3],
}

/// Reads a table of centroids; row 0 for the background, which some copies have, is skipped.
///
/// # Errors
/// [`AtlasError::Files`] when the file cannot be opened; [`AtlasError::Centroids`] with the line
/// for another header, a row of another length, or a value that is not a finite number.
pub fn read(path: &Path) -> Result<Vec<Centroid>, AtlasError> {
    let file = std::fs::File::open(path).map_err(AtlasError::io("open", path))?;
    let refuse = |line, problem| AtlasError::centroids(path, line, problem);
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        let reason = error.to_string();
        refuse(line, CentroidProblem::Row { reason })
    };
    let mut rows = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file);
    let header = rows.headers().map_err(broken)?;
    let known = header.len() == HEADER.len()
        && header.iter().zip(HEADER).all(|(found, expected)| {
            found
                .trim_start_matches('\u{feff}')
                .eq_ignore_ascii_case(expected)
        });
    if !known {
        let found = header.iter().take(HEADER.len() + 1);
        let found = found.map(str::to_owned).collect();
        return Err(refuse(1, CentroidProblem::Header { found }));
    }
    let mut centroids = Vec::new();
    for row in rows.records() {
        let row = row.map_err(broken)?;
        let line = row.position().map_or(0, csv::Position::line);
        let name = &row[1];
        if is_background(name) {
            continue;
        }
        let label = row[0].parse().map_err(|_| {
            refuse(
                line,
                CentroidProblem::Label {
                    found: row[0].to_owned(),
                },
            )
        })?;
        let mut mm = [0.0_f32; 3];
        for (mm, cell) in mm.iter_mut().zip(row.iter().skip(2)) {
            *mm = match cell.parse() {
                Ok(value) if f32::is_finite(value) => value,
                _ => {
                    let found = cell.to_owned();
                    return Err(refuse(line, CentroidProblem::Place { found }));
                }
            };
        }
        centroids.push(Centroid {
            label,
            name: name.to_owned(),
            mm,
        });
    }
    Ok(centroids)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Vec<Centroid>, AtlasError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("centroids.csv");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    }

    /// The line and the problem of a refused table.
    fn refused(bytes: &[u8]) -> (u64, CentroidProblem) {
        match read_bytes(bytes) {
            Err(AtlasError::Centroids { line, problem, .. }) => (line, problem),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_read_and_the_background_is_left_out() {
        let text = "ROI Label,ROI Name,R,A,S\n0,NONE,0,0,0\n1,7Networks_LH_Vis_1,-26,-34.5,-18\n";
        let expected = Centroid {
            label: 1,
            name: "7Networks_LH_Vis_1".into(),
            mm: [-26.0, -34.5, -18.0],
        };
        assert_eq!(read_bytes(text.as_bytes()).unwrap(), [expected]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let start = "ROI Label,ROI Name,R,A,S\n";
        let place = |found: &str| CentroidProblem::Place {
            found: found.into(),
        };
        let label = CentroidProblem::Label { found: "-1".into() };
        for (rows, line, expected) in [
            ("1,a,1,2,3\n2,b,1,2,x\n", 3, place("x")),
            ("1,a,1,NaN,3\n", 2, place("NaN")),
            ("-1,a,1,2,3\n", 2, label),
        ] {
            let text = format!("{start}{rows}");
            assert_eq!(refused(text.as_bytes()), (line, expected));
        }
        let found = ["ROI Name", "R", "A", "S"].map(str::to_owned).into();
        let header = CentroidProblem::Header { found };
        assert_eq!(refused(b"ROI Name,R,A,S\n"), (1, header));
        let short = refused(b"ROI Label,ROI Name,R,A,S\n1,a,1,2\n");
        assert!(
            matches!(short, (2, CentroidProblem::Row { .. })),
            "{short:?}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            header in any::<bool>(),
            rows in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = if header { b"ROI Label,ROI Name,R,A,S\n".to_vec() } else { Vec::new() };
            bytes.extend(rows);
            if let Ok(centroids) = read_bytes(&bytes) {
                prop_assert!(centroids.iter().all(|row| row.mm.iter().all(|mm| mm.is_finite())));
            }
        }
    }
}
