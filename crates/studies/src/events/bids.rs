//! BIDS event files: `onset`, `duration` and `trial_type` in a table with tabs.

use std::path::Path;

use super::Event;
use crate::error::StudyError;
use brainmae_files::id::ScanId;

/// The condition of all events where there is no column `trial_type`, which BIDS allows.
const ONLY_CONDITION: &str = "event";

/// Reads an `_events.tsv`, sorted by onset and condition (BIDS, "Task events").
///
/// Rows without an onset, a duration or a `trial_type` (`n/a`) are left out: they tell of no
/// stretch of time under a condition. Onsets may lie before the first volume.
///
/// # Errors
/// [`StudyError::TextTable`] for a header without `onset` and `duration`, and for a row that cannot
/// be understood; [`StudyError::Io`] when the file cannot be read.
pub fn read_bids_events(path: &Path, scan: &ScanId) -> Result<Vec<Event>, StudyError> {
    let text = std::fs::read_to_string(path).map_err(StudyError::io("read", path))?;
    let refuse = |line: usize, problem: String| StudyError::TextTable {
        path: path.to_owned(),
        line: line as u64,
        problem,
    };
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let (_, header) = lines.next().unwrap_or((1, ""));
    let header: Vec<&str> = header.split('\t').map(clean).collect();
    let column = |name: &str| header.iter().position(|other| *other == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| {
            let problem = format!("there is no column {name:?}, only {}", header.join(", "));
            refuse(1, problem)
        })
    };
    let (onset, duration) = (needed("onset")?, needed("duration")?);
    let trial_type = column("trial_type");

    let mut events = Vec::new();
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        let cells: Vec<&str> = row.split('\t').map(clean).collect();
        if cells.len() != header.len() {
            let problem = format!("{} cells, expected {}", cells.len(), header.len());
            return Err(refuse(line, problem));
        }
        let number = |name: &str, at: usize| match cells[at] {
            cell if is_missing(cell) => Ok(None),
            cell => match cell.parse::<f64>() {
                Ok(secs) if secs.is_finite() => Ok(Some(secs)),
                _ => {
                    let problem = format!("{cell:?} in column {name:?} is no number of seconds");
                    Err(refuse(line, problem))
                }
            },
        };
        let (onset_secs, duration_secs) = (number("onset", onset)?, number("duration", duration)?);
        let condition = trial_type.map_or(ONLY_CONDITION, |at| cells[at]);
        let (Some(onset_secs), Some(duration_secs)) = (onset_secs, duration_secs) else {
            continue;
        };
        if duration_secs < 0.0 {
            let problem = format!("the duration is {duration_secs} s, expected 0 or more");
            return Err(refuse(line, problem));
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
    events.sort_by(|one, other| {
        let by_onset = one.onset_secs.total_cmp(&other.onset_secs);
        by_onset.then_with(|| one.condition.cmp(&other.condition))
    });
    Ok(events)
}

/// A cell without what surrounds its value.
fn clean(cell: &str) -> &str {
    cell.trim().trim_matches('"')
}

fn is_missing(cell: &str) -> bool {
    ["", "n/a", "N/A"].contains(&cell)
}

#[cfg(test)]
mod tests {
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
        for (text, word) in [
            ("", "line 1: there is no column \"onset\""),
            ("onset,duration\n1,2\n", "no column \"onset\""),
            ("onset\tduration\n1\n", "line 2: 1 cells, expected 2"),
            (
                "onset\tduration\n1\t2\nx\t2\n",
                "line 3: \"x\" in column \"onset\"",
            ),
            (
                "onset\tduration\n1\tinf\n",
                "\"inf\" in column \"duration\"",
            ),
            ("onset\tduration\n1\t-2\n", "the duration is -2 s"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
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
