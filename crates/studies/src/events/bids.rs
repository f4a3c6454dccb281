//! BIDS event files: a tab-separated table with `onset`, `duration` and `trial_type`.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;

use super::{Event, sort};
use crate::error::{EventProblem, StudyError};
use crate::rows::{Broken, line_of};

/// The condition of all events in a table without `trial_type`, which BIDS allows.
const ONLY_CONDITION: &str = "event";

/// Reads an `_events.tsv`, sorted by onset and condition (BIDS, "Task events").
///
/// Rows without an onset, a duration or a `trial_type` (`n/a`) are skipped, because they do not
/// define an interval with a condition. Onsets may lie before the first volume.
///
/// # Errors
/// [`StudyError::Events`] for a header without `onset` and `duration`, and for a row that cannot be
/// parsed; [`StudyError::Files`] when the file cannot be read.
pub fn read_bids_events(path: &Path, scan: &ScanId) -> Result<Vec<Event>, StudyError> {
    let file = std::fs::File::open(path).map_err(StudyError::io("read", path))?;
    let broken = |error: csv::Error| broken(path, error);
    // In BIDS, a quote is an ordinary character; many files end with blank lines.
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .from_reader(file);
    let header = rows.headers().map_err(broken)?;
    let header: Vec<String> = header
        .iter()
        .map(|name| clean(name.trim_start_matches('\u{feff}')).to_owned())
        .collect();
    let column = |name: &str| header.iter().position(|other| other == name);
    let needed = |column_name: &'static str| {
        column(column_name).ok_or_else(|| {
            let problem = EventProblem::MissingColumn {
                column: column_name,
                found: header.clone(),
            };
            StudyError::events(path, 1, problem)
        })
    };
    let (onset, duration) = (needed("onset")?, needed("duration")?);
    let trial_type = column("trial_type");

    let mut events = Vec::new();
    for row in rows.records() {
        let row = row.map_err(broken)?;
        let refuse = |problem| StudyError::events(path, line_of(&row), problem);
        let cells: Vec<&str> = row.iter().map(clean).collect();
        if cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        if cells.len() != header.len() {
            return Err(refuse(EventProblem::Cells {
                found: cells.len(),
                expected: header.len(),
            }));
        }
        let number = |column: &'static str, at: usize| match cells[at] {
            cell if is_missing(cell) => Ok(None),
            cell => match cell.parse::<f64>() {
                Ok(secs) if secs.is_finite() => Ok(Some(secs)),
                _ => Err(refuse(EventProblem::NotSeconds {
                    column,
                    found: cell.to_owned(),
                })),
            },
        };
        let (onset_secs, duration_secs) = (number("onset", onset)?, number("duration", duration)?);
        let condition = trial_type.map_or(ONLY_CONDITION, |at| cells[at]);
        let (Some(onset_secs), Some(duration_secs)) = (onset_secs, duration_secs) else {
            continue;
        };
        if duration_secs < 0.0 {
            return Err(refuse(EventProblem::NegativeDuration {
                secs: duration_secs,
            }));
        }
        if !is_missing(condition) {
            events.push(Event {
                scan: scan.clone(),
                condition: condition.to_owned(),
                onset_secs,
                duration_secs,
            });
        }
    }
    sort(&mut events);
    Ok(events)
}

fn broken(path: &Path, error: csv::Error) -> StudyError {
    match Broken::from(error) {
        Broken::Io(error) => StudyError::io("read", path)(error),
        Broken::NotUtf8 { line } => StudyError::events(path, line, EventProblem::NotUtf8),
        Broken::Cells {
            line,
            found,
            expected,
        } => {
            let (found, expected) = (found as usize, expected as usize);
            StudyError::events(path, line, EventProblem::Cells { found, expected })
        }
        Broken::Other { line, reason } => {
            StudyError::events(path, line, EventProblem::Unreadable { reason })
        }
    }
}

/// The value of a cell without surrounding white space.
fn clean(cell: &str) -> &str {
    cell.trim().trim_matches('"')
}

fn is_missing(cell: &str) -> bool {
    ["", "n/a", "N/A"].contains(&cell)
}

#[cfg(test)]
mod tests {
    use super::super::tests::refused;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Event>, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.tsv");
        std::fs::write(&path, text).unwrap();
        read_bids_events(&path, &"a".into())
    }

    fn found(text: &str) -> Vec<(String, f64, f64)> {
        let events = read(text).unwrap();
        let parts = |event: Event| (event.condition, event.onset_secs, event.duration_secs);
        events.into_iter().map(parts).collect()
    }

    #[test]
    fn columns_are_found_by_name_and_events_sorted() {
        assert_eq!(
            found(
                "\u{feff}trial_type\tonset\tresponse\tduration\r\nface\t4.5\t1\t2\r\ncat\t-1\t\t0\r\n"
            ),
            [("cat".into(), -1.0, 0.0), ("face".into(), 4.5, 2.0)]
        );
    }

    #[test]
    fn rows_that_tell_nothing_are_left_out() {
        let text =
            "onset\tduration\ttrial_type\nn/a\t1\ta\n1\tn/a\ta\n2\t1\tn/a\n3\t1\t\"a b\"\n\n";
        assert_eq!(found(text), [("a b".into(), 3.0, 1.0)]);
    }

    #[test]
    fn without_trial_type_there_is_one_condition() {
        assert_eq!(
            found("onset\tduration\n1\t2\n"),
            [("event".into(), 1.0, 2.0)]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        use EventProblem as P;
        let missing = |found: &str| P::MissingColumn {
            column: "onset",
            found: vec![found.into()],
        };
        let no_seconds = |column, found: &str| P::NotSeconds {
            column,
            found: found.into(),
        };
        let one_cell = P::Cells {
            found: 1,
            expected: 2,
        };
        let no_columns = P::MissingColumn {
            column: "onset",
            found: Vec::new(),
        };
        for (text, line, expected) in [
            ("", 1, no_columns),
            ("onset,duration\n1,2\n", 1, missing("onset,duration")),
            ("onset\tduration\n1\n", 2, one_cell),
            ("onset\tduration\n1\t2\nx\t2\n", 3, no_seconds("onset", "x")),
            (
                "onset\tduration\n1\tinf\n",
                2,
                no_seconds("duration", "inf"),
            ),
            (
                "onset\tduration\n1\t-2\n",
                2,
                P::NegativeDuration { secs: -2.0 },
            ),
        ] {
            assert_eq!(refused(read(text)), (line, expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_table_is_events_in_order_or_an_error(
            text in "(onset\tduration\n)?([-0-9.na/]{0,4}\t[-0-9.e]{0,4}\n|\\PC{0,9}\n){0,8}"
        ) {
            if let Ok(events) = read(&text) {
                prop_assert!(events.is_sorted_by(|one, two| one.onset_secs <= two.onset_secs));
                prop_assert!(events.iter().all(|event| event.duration_secs >= 0.0));
            }
        }
    }
}
