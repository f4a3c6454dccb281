//! Labels of cortical vertices from a text file with one whole number per line.
//!
//! The lines are the vertices of a whole mesh, with the medial wall; 0 means no label. A header
//! line is skipped, `1.0` is read as 1, and negative numbers are read as 0 with a log message.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use brainmae_files::CommonErrors as _;

use crate::error::FormatError;
use crate::label_map::{GrayordinateLabels, LabelProblem};
use crate::signal_table::TextProblem;

/// Vertices of one side of the mesh fsLR-32k.
pub const FSLR_32K_VERTICES: usize = 32_492;

/// Maximum bytes of a file; two sides of a mesh need well below one million.
const MAX_BYTES: u64 = 16 << 20;

/// Reads one file with the labels of the left side, then of the right side; each mesh has
/// `side_vertices` vertices.
///
/// # Errors
/// [`FormatError::Text`] for a line that is not a whole number, [`FormatError::Labels`] for another
/// number of lines, [`FormatError::Files`] when the file cannot be read.
pub fn read(path: &Path, side_vertices: usize) -> Result<GrayordinateLabels, FormatError> {
    let mut left = lines(path)?;
    let expected = side_vertices.saturating_mul(2);
    if left.len() == side_vertices {
        let problem = LabelProblem::OneSide {
            found: side_vertices,
            expected,
        };
        return Err(FormatError::labels(path, problem));
    }
    check_count(path, left.len(), expected)?;
    let right = left.split_off(side_vertices);
    Ok(GrayordinateLabels {
        left,
        right,
        ..GrayordinateLabels::default()
    })
}

/// Reads one file per side; each mesh has `side_vertices` vertices.
///
/// # Errors
/// Those of [`read`].
pub fn read_sides(
    left: &Path,
    right: &Path,
    side_vertices: usize,
) -> Result<GrayordinateLabels, FormatError> {
    let side = |path: &Path| {
        let labels = lines(path)?;
        check_count(path, labels.len(), side_vertices)?;
        Ok::<_, FormatError>(labels)
    };
    Ok(GrayordinateLabels {
        left: side(left)?,
        right: side(right)?,
        ..GrayordinateLabels::default()
    })
}

fn check_count(path: &Path, found: usize, expected: usize) -> Result<(), FormatError> {
    if found == expected {
        return Ok(());
    }
    let problem = LabelProblem::Count { found, expected };
    Err(FormatError::labels(path, problem))
}

/// The labels of a file, line by line.
fn lines(path: &Path) -> Result<Vec<u32>, FormatError> {
    let mut text = String::new();
    File::open(path)
        .map_err(FormatError::io("open", path))?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(FormatError::io("read", path))?;
    if text.len() as u64 > MAX_BYTES {
        let most = MAX_BYTES;
        return Err(FormatError::labels(path, LabelProblem::Bytes { most }));
    }
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let mut labels = Vec::new();
    let mut n_negative = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        match line.parse::<f64>() {
            Ok(value) if value.fract() == 0.0 && value <= f64::from(u32::MAX) => {
                n_negative += usize::from(value < 0.0);
                labels.push(value as u32); // A negative number becomes 0.
            }
            Err(_) if at == 0 && is_header(line) => {}
            _ => {
                let found = line.chars().take(40).collect();
                let problem = TextProblem::NotALabel { found };
                return Err(FormatError::text(path, at as u64 + 1, problem));
            }
        }
    }
    if n_negative > 0 {
        tracing::warn!(
            n_negative,
            path = %path.display(),
            "negative labels are taken as no label"
        );
    }
    Ok(labels)
}

/// Whether a first line is a name, not a number in an unsupported form.
fn is_header(line: &str) -> bool {
    line.starts_with(|first: char| first.is_alphabetic() || "\"'#_".contains(first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(text: &[u8], side_vertices: usize) -> Result<GrayordinateLabels, FormatError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, side_vertices)
    }

    fn problem(result: Result<GrayordinateLabels, FormatError>) -> LabelProblem {
        match result.unwrap_err() {
            FormatError::Labels { problem, .. } => problem,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn left_comes_before_right() {
        let labels = read_text(b"0\n1\n2\n3\n4\n5\n", 3).unwrap();
        assert_eq!((labels.left, labels.right), (vec![0, 1, 2], vec![3, 4, 5]));
    }

    #[test]
    fn each_side_may_have_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let [left, right] = ["lh.txt", "rh.txt"].map(|name| folder.path().join(name));
        std::fs::write(&left, "1\n2\n").unwrap();
        std::fs::write(&right, "3\n4\n").unwrap();
        let labels = read_sides(&left, &right, 2).unwrap();
        assert_eq!((labels.left, labels.right), (vec![1, 2], vec![3, 4]));
        assert_eq!(
            problem(read_sides(&left, &right, 3)),
            LabelProblem::Count {
                found: 2,
                expected: 3
            }
        );
    }

    #[test]
    fn what_other_programs_write_is_read() {
        for text in [
            "label\n7\n8",
            "\u{feff}7\n8\n\n",
            "7.0\r\n8e0\r\n",
            " 7 \n8\n \n",
        ] {
            let labels = read_text(text.as_bytes(), 1).unwrap();
            assert_eq!((labels.left, labels.right), (vec![7], vec![8]), "{text:?}");
        }
        assert_eq!(read_text(b"-1\n8", 1).unwrap().left, [0]);
    }

    #[test]
    fn a_line_that_is_no_label_is_named() {
        for (text, line, word) in [
            ("1\n1.5\n", 2, "1.5"),
            ("1\nlabel\n", 2, "label"),
            ("1\n\n2\n", 2, ""),
            ("0,1\n1,2\n", 1, "0,1"),
            ("nan\n1\n", 1, "nan"),
            ("1\n4294967296\n", 2, "4294967296"),
            ("inf\n1\n", 1, "inf"),
        ] {
            match read_text(text.as_bytes(), 1).unwrap_err() {
                FormatError::Text {
                    line: at,
                    problem: TextProblem::NotALabel { found },
                    ..
                } => assert_eq!((at, found.as_str()), (line, word)),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn another_number_of_lines_is_refused_with_both_numbers() {
        let count = |found| LabelProblem::Count { found, expected: 6 };
        assert_eq!(problem(read_text(b"1\n2\n3\n4\n5\n", 3)), count(5));
        assert_eq!(
            problem(read_text(b"1\n2\n3\n", 3)),
            LabelProblem::OneSide {
                found: 3,
                expected: 6
            }
        );
        assert_eq!(problem(read_text(b"", 3)), count(0));
    }

    proptest! {
        #[test]
        fn any_labels_come_back(labels in prop::collection::vec(any::<u32>(), 1..50)) {
            let text: String = labels.iter().map(|label| format!("{label}\n")).collect();
            let both = read_text(text.repeat(2).as_bytes(), labels.len()).unwrap();
            prop_assert_eq!(&both.left, &labels);
            prop_assert_eq!(&both.right, &labels);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_text(&bytes, 3);
        }
    }
}
