//! Events of a scan: conditions with onset and duration.

mod bids;
mod design;
mod ev;
mod shift;

use serde::{Deserialize, Serialize};

use brainmae_files::id::ScanId;
pub use ev::read_evs;
pub use shift::shift;

pub use bids::read_bids_events;
pub use design::read_design;

/// An interval of a scan with one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The scan of the event.
    pub scan: ScanId,
    /// The condition.
    pub condition: String,
    /// Seconds from the first volume.
    pub onset_secs: f64,
    /// Duration in seconds.
    pub duration_secs: f64,
}

/// Sorts events by onset, then by condition and duration.
fn sort(events: &mut [Event]) {
    events.sort_by(|one, other| {
        let by_onset = one.onset_secs.total_cmp(&other.onset_secs);
        by_onset
            .then_with(|| one.condition.cmp(&other.condition))
            .then(one.duration_secs.total_cmp(&other.duration_secs))
    });
}

/// Joins equal labels of consecutive volumes to events; volumes labelled `rest` give no event.
pub fn events_from_labels<L: AsRef<str>>(
    scan: &ScanId,
    labels: &[L],
    tr_secs: f64,
    rest: &str,
) -> Vec<Event> {
    let mut start = 0;
    labels
        .chunk_by(|first, second| first.as_ref() == second.as_ref())
        .filter_map(|block| {
            let onset = start;
            start += block.len();
            (block[0].as_ref() != rest).then(|| Event {
                scan: scan.clone(),
                condition: block[0].as_ref().to_owned(),
                onset_secs: onset as f64 * tr_secs,
                duration_secs: block.len() as f64 * tr_secs,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{EventProblem, StudyError};

    /// Condition, onset and duration of each event.
    pub fn brief(events: &[Event]) -> Vec<(&str, f64, f64)> {
        let all = events.iter();
        all.map(|event| (&*event.condition, event.onset_secs, event.duration_secs))
            .collect()
    }

    /// Line and problem of a file of events that is refused.
    pub fn refused(read: Result<Vec<Event>, StudyError>) -> (u64, EventProblem) {
        match read {
            Err(StudyError::Events {
                line: Some(line),
                problem,
                ..
            }) => (line, problem),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_neighbours_are_one_event_and_rest_is_none() {
        let labels = ["rest", "face", "face", "cat", "rest", "face"];
        let events = events_from_labels(&"a".into(), &labels, 2.5, "rest");
        let found: Vec<_> = brief(&events);
        assert_eq!(
            found,
            [("face", 2.5, 5.0), ("cat", 7.5, 2.5), ("face", 12.5, 2.5)]
        );
    }
}
