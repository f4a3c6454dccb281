//! Seams of a concatenation: first and last volumes of its runs.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// Volumes of one rest run by the protocol.
const RUN_VOLUMES: usize = 478;
/// Rest runs of a visit, in the order of the concatenation.
pub(super) const RUNS: [&str; 4] = [
    "rfMRI_REST1_AP",
    "rfMRI_REST1_PA",
    "rfMRI_REST2_AP",
    "rfMRI_REST2_PA",
];
/// Maximum size of a movement file; a file with 12 columns has about 100 bytes per volume.
const MOVEMENT_BYTES: u64 = 16 << 20;

/// The volumes of one run in a concatenation; the name is `None` when it is not known.
pub(super) type Part = (Option<&'static str>, Range<usize>);

/// Cuts `n_volumes` at the seams. If the volumes of the single runs, `counted` in the order of
/// [`RUNS`], add up, they are used; otherwise the protocol is used, and the order identifies its
/// four runs. If there are fewer runs of the protocol's length, their names are not known.
///
/// # Errors
/// The reason why the seams are not known.
pub(super) fn cut(
    n_volumes: usize,
    counted: &[(&'static str, usize)],
) -> Result<Vec<Part>, String> {
    let total = counted
        .iter()
        .try_fold(0_usize, |sum, (_, n)| sum.checked_add(*n));
    if n_volumes > 0 && total == Some(n_volumes) && counted.iter().all(|(_, n)| *n > 0) {
        let named = counted.iter().map(|(name, n)| (Some(*name), *n));
        return Ok(join(named));
    }
    let n_runs = n_volumes / RUN_VOLUMES;
    let whole = n_volumes.is_multiple_of(RUN_VOLUMES) && (1..=RUNS.len()).contains(&n_runs);
    let fits = counted.len() <= n_runs && counted.iter().all(|(_, n)| *n == RUN_VOLUMES);
    if whole && fits {
        let name = |at: usize| (n_runs == RUNS.len()).then_some(RUNS[at]);
        return Ok(join((0..n_runs).map(|at| (name(at), RUN_VOLUMES))));
    }
    let known = match counted {
        [] => format!(
            "and no run has a Movement_Regressors.txt to count, expected 1 to {} runs of \
             {RUN_VOLUMES}",
            RUNS.len()
        ),
        _ => {
            let total = total.unwrap_or(usize::MAX);
            format!("and the Movement_Regressors.txt of its runs count {total}")
        }
    };
    Err(format!(
        "its seams are not known: it has {n_volumes} volumes {known}"
    ))
}

fn join(runs: impl Iterator<Item = (Option<&'static str>, usize)>) -> Vec<Part> {
    runs.scan(0, |end, (name, n)| {
        let start = *end;
        *end += n;
        Some((name, start..*end))
    })
    .collect()
}

/// Volumes in a CIFTI-2 file, from the fifth dimension in its header, in either byte order.
pub(super) fn count_volumes(path: &Path) -> Result<usize, String> {
    let mut header = [0; 64];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|error| format!("its header cannot be read: {error}"))?;
    let dimension = |at: usize, big: bool| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&header[16 + 8 * at..][..8]);
        if big {
            i64::from_be_bytes(bytes)
        } else {
            i64::from_le_bytes(bytes)
        }
    };
    let big = match header[..4] {
        [0x1c, 2, 0, 0] => false,
        [0, 0, 2, 0x1c] => true,
        _ => return Err("it is no CIFTI-2 file: the header has not 540 bytes".into()),
    };
    let n_volumes = dimension(5, big);
    usize::try_from(n_volumes)
        .ok()
        .filter(|n| header[4..8] == *b"n+2\0" && dimension(0, big) == 6 && *n > 0)
        .ok_or_else(|| {
            format!(
                "it is no CIFTI-2 series: {} dimensions and {n_volumes} volumes",
                dimension(0, big)
            )
        })
}

/// Volumes of a movement file: its lines that are not blank.
pub(super) fn count_lines(path: &Path) -> io::Result<usize> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOVEMENT_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counted_runs_set_the_seams() {
        let counted = [("rfMRI_REST1_AP", 10), ("rfMRI_REST2_PA", 20)];
        let parts = cut(30, &counted).unwrap();
        assert_eq!(
            parts,
            [
                (Some("rfMRI_REST1_AP"), 0..10),
                (Some("rfMRI_REST2_PA"), 10..30)
            ]
        );
    }

    #[test]
    fn four_runs_of_the_protocol_are_known_by_their_order() {
        let parts = cut(1912, &[]).unwrap();
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[1], (Some("rfMRI_REST1_PA"), 478..956));
        assert_eq!(parts[3], (Some("rfMRI_REST2_PA"), 1434..1912));
        assert_eq!(cut(1912, &[("rfMRI_REST1_AP", 478)]).unwrap(), parts);
        assert_eq!(cut(956, &[]).unwrap(), [(None, 0..478), (None, 478..956)]);
    }

    #[test]
    fn other_lengths_are_refused_with_what_is_known() {
        let error = cut(1000, &[]).unwrap_err();
        assert!(error.contains("1000 volumes and no run has"), "{error}");
        let error = cut(1912, &[("rfMRI_REST1_AP", 470)]).unwrap_err();
        assert!(error.contains("its runs count 470"), "{error}");
        for (n_volumes, counted) in [
            (0, &[][..]),
            (5 * 478, &[]),
            (usize::MAX, &[]),
            (usize::MAX, &[("a", usize::MAX), ("b", 1)]),
            (478, &[("a", 478), ("b", 0)]),
            (478, &[("a", 478), ("b", 478)]),
        ] {
            let error = cut(n_volumes, counted).unwrap_err();
            assert!(error.starts_with("its seams are not known"), "{error}");
        }
    }

    fn header(size: [u8; 4], n_dims: i64, n_volumes: i64, big: bool) -> Vec<u8> {
        let bytes = |number: i64| {
            if big {
                number.to_be_bytes()
            } else {
                number.to_le_bytes()
            }
        };
        let mut header = [&size[..], b"n+2\0\r\n\x1a\n\0\x10\0\x20"].concat();
        for dimension in [n_dims, 1, 1, 1, 1, n_volumes, 91_282, 1] {
            header.extend(bytes(dimension));
        }
        header
    }

    fn count(bytes: &[u8]) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dtseries.nii");
        std::fs::write(&path, bytes).unwrap();
        count_volumes(&path)
    }

    #[test]
    fn the_header_tells_the_volumes_in_either_byte_order() {
        let little = 540_i32.to_le_bytes();
        let big = 540_i32.to_be_bytes();
        assert_eq!(count(&header(little, 6, 1912, false)), Ok(1912));
        assert_eq!(count(&header(big, 6, 1912, true)), Ok(1912));
        for (bad, why) in [
            (
                header(348_i32.to_le_bytes(), 6, 1912, false),
                "no CIFTI-2 file",
            ),
            (header(little, 4, 1912, false), "4 dimensions"),
            (header(little, 6, -1, false), "-1 volumes"),
            (header(little, 6, 0, false), "0 volumes"),
            (
                header(little, 6, 1912, false)[..63].to_vec(),
                "its header cannot be read",
            ),
        ] {
            let error = count(&bad).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn blank_lines_are_no_volumes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Movement_Regressors.txt");
        std::fs::write(&path, " 0 1\r\n 2 3\r\n\r\n 4 5").unwrap();
        assert_eq!(count_lines(&path).unwrap(), 3);
    }

    proptest! {
        #[test]
        fn parts_tile_the_concatenation(n_volumes in 0_usize..3000, first in 0_usize..3000) {
            let counted = [("rfMRI_REST1_AP", first), ("rfMRI_REST1_PA", 478)];
            for counted in [&counted[..], &[]] {
                if let Ok(parts) = cut(n_volumes, counted) {
                    let mut end = 0;
                    for (_, part) in parts {
                        prop_assert_eq!(part.start, end);
                        prop_assert!(part.end > part.start);
                        end = part.end;
                    }
                    prop_assert_eq!(end, n_volumes);
                }
            }
        }
    }
}
