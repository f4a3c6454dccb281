//! Events of HCP scans: a folder `EVs` with one three-column file per condition.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;

use super::{Event, sort};
use crate::error::{EventProblem, StudyError};
use crate::folder::Folder;

/// The extension of a file of one condition.
const ENDING: &str = ".txt";

/// Reads the `<condition>.txt` files of the folder `dir`, without `Sync.txt` and `*_Stats*`; the
/// events are sorted by onset, then condition.
///
/// Columns are onset, duration (both in seconds from the first volume) and amplitude, separated by
/// spaces or tabs: FSL's custom three-column format. A row with amplitude 0 is not an event (FSL
/// writes such a row for an empty condition); nor is a row with a number that is not finite. A file
/// without rows is allowed: the condition did not occur.
///
/// # Errors
/// An error, with the line, when the folder or a file cannot be read, for a row without three
/// numbers, and for a negative duration.
pub fn read_evs(dir: &Path, scan: &ScanId) -> Result<Vec<Event>, StudyError> {
    let folder = Folder::read(dir, String::new()).map_err(StudyError::io("read", dir))?;
    let is_lost = |name: &&std::ffi::OsString| name.to_string_lossy().ends_with(ENDING);
    if let Some(name) = folder.not_utf8.iter().find(is_lost) {
        return Err(StudyError::events(
            &dir.join(name),
            None,
            EventProblem::FileName,
        ));
    }
    let mut events = Vec::new();
    for file in folder.files() {
        let Some(condition) = file.strip_suffix(ENDING) else {
            continue;
        };
        if condition.is_empty()
            || condition == "Sync"
            || condition.contains("_Stats")
            || condition.starts_with('.')
        {
            continue;
        }
        let path = dir.join(file);
        let bytes = std::fs::read(&path).map_err(StudyError::io("read", &path))?;
        let rows =
            parse(&bytes).map_err(|(line, problem)| StudyError::events(&path, line, problem))?;
        events.extend(rows.into_iter().map(|[onset_secs, duration_secs]| Event {
            scan: scan.clone(),
            condition: condition.to_owned(),
            onset_secs,
            duration_secs,
        }));
    }
    sort(&mut events);
    Ok(events)
}

/// Onsets and durations of one condition, or a line with its problem.
fn parse(bytes: &[u8]) -> Result<Vec<[f64; 2]>, (u64, EventProblem)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = str::from_utf8(text).map_err(|_| (line, EventProblem::NotUtf8))?;
        let mut cells = text.split_whitespace();
        let Some(first) = cells.next() else {
            continue;
        };
        let (Some(second), Some(third), None) = (cells.next(), cells.next(), cells.next()) else {
            return Err((line, EventProblem::NotThreeColumns));
        };
        let number = |cell: &str| {
            cell.parse::<f64>()
                .map_err(|_| (line, EventProblem::NotANumber))
        };
        let [onset, duration, amplitude] = [number(first)?, number(second)?, number(third)?];
        if !(onset.is_finite() && duration.is_finite() && amplitude.is_finite()) {
            continue;
        }
        if duration < 0.0 {
            return Err((line, EventProblem::NegativeDuration { secs: duration }));
        }
        if amplitude != 0.0 {
            rows.push([onset, duration]);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::brief;
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Vec<Event>, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        read_evs(folder.path(), &"a".into())
    }

    #[test]
    fn conditions_are_files_and_events_are_sorted_by_onset() {
        let events = read(&[
            ("2bk_body.txt", "36.2\t27.5\t1\n7.977\t27.5\t1\r\n"),
            ("0bk_faces.txt", "  7.977   27.5  1.0"),
            ("0bk_err.txt", ""),
            ("2bk_nlr.txt", "\n\n"),
            ("Sync.txt", "12.5\n"),
            ("WM_Stats.csv", "what,ever\n"),
            ("WM_Stats.txt", "what ever\n"),
        ])
        .unwrap();
        let found: Vec<_> = brief(&events);
        assert_eq!(
            found,
            [
                ("0bk_faces", 7.977, 27.5),
                ("2bk_body", 7.977, 27.5),
                ("2bk_body", 36.2, 27.5)
            ]
        );
        assert_eq!(events[0].scan.as_str(), "a");
    }

    #[test]
    fn rows_without_amplitude_or_with_numbers_that_are_not_finite_are_no_events() {
        assert_eq!(
            parse(b"0 0 0\n1 0 1\nnan 1 1\n2 inf 1\n-3 1 -1"),
            Ok(vec![[1.0, 0.0], [-3.0, 1.0]])
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        use EventProblem as P;
        for (text, line, expected) in [
            ("1 2 3\n\n4 5", 3, P::NotThreeColumns),
            ("1 2 3 4", 1, P::NotThreeColumns),
            ("onset duration amplitude", 1, P::NotANumber),
            ("1 1 1\n1 -2 1", 2, P::NegativeDuration { secs: -2.0 }),
        ] {
            match read(&[("lh.txt", text)]) {
                Err(StudyError::Events {
                    path,
                    line: Some(found),
                    problem,
                }) => {
                    assert_eq!((found, problem), (line, expected), "{text:?}");
                    assert!(path.ends_with("lh.txt"));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(parse(b"1 1 1\n\xff"), Err((2, P::NotUtf8)));
    }

    #[cfg(unix)]
    #[test]
    fn a_condition_whose_name_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStrExt;

        let folder = tempfile::tempdir().unwrap();
        let name = std::ffi::OsStr::from_bytes(b"x\xff.txt");
        std::fs::write(folder.path().join(name), "").unwrap();
        let error = read_evs(folder.path(), &"a".into()).unwrap_err();
        let is_name = matches!(
            error,
            StudyError::Events {
                line: None,
                problem: EventProblem::FileName,
                ..
            }
        );
        assert!(is_name, "{error:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let error = read_evs(Path::new("/no/such/EVs"), &"a".into()).unwrap_err();
        assert!(matches!(error, StudyError::Files(_)), "{error:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(rows) = parse(&bytes) {
                prop_assert!(rows.iter().all(|[_, duration]| *duration >= 0.0));
            }
        }

        #[test]
        fn any_numbers_are_events_or_an_error(text in "[0-9eEinfa.+ \t\n-]{0,80}") {
            if let Ok(rows) = parse(text.as_bytes()) {
                prop_assert!(rows.iter().flatten().all(|number| number.is_finite()));
            }
        }
    }
}
