//! Shift of events to another time origin.

use super::Event;

/// Adds `by_secs` to every onset and cuts events to the scan, from 0 to `scan_secs`.
///
/// When the first volumes of a scan are dropped, `by_secs` is minus their duration. An event that
/// begins before 0 is shortened and begins at 0; an event outside the scan is removed. An event
/// without duration is kept if its onset lies in the scan.
pub fn shift(events: Vec<Event>, by_secs: f64, scan_secs: f64) -> Vec<Event> {
    events
        .into_iter()
        .filter_map(|event| {
            let onset_secs = event.onset_secs + by_secs;
            let end_secs = onset_secs + event.duration_secs;
            if onset_secs >= 0.0 && end_secs <= scan_secs && onset_secs < scan_secs {
                // An event inside the scan keeps its exact duration, without rounding errors.
                return Some(Event {
                    onset_secs,
                    ..event
                });
            }
            let start = onset_secs.max(0.0);
            let end = end_secs.min(scan_secs);
            (start < end).then_some(Event {
                onset_secs: start,
                duration_secs: end - start,
                ..event
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(onset_secs: f64, duration_secs: f64) -> Event {
        Event {
            scan: "a".into(),
            condition: "face".into(),
            onset_secs,
            duration_secs,
        }
    }

    fn times(events: &[(f64, f64)], by_secs: f64, scan_secs: f64) -> Vec<(f64, f64)> {
        let events = events.iter().map(|(onset, length)| event(*onset, *length));
        shift(events.collect(), by_secs, scan_secs)
            .into_iter()
            .map(|event| (event.onset_secs, event.duration_secs))
            .collect()
    }

    #[test]
    fn events_lose_what_lies_outside_of_the_scan() {
        let events = [
            (0.0, 2.0),
            (3.0, 4.0),
            (8.0, 2.0),
            (95.0, 10.0),
            (110.0, 1.0),
        ];
        assert_eq!(
            times(&events, -4.0, 96.0),
            [(0.0, 3.0), (4.0, 2.0), (91.0, 5.0)]
        );
        assert_eq!(times(&[(95.0, 10.0)], 4.0, 100.0), [(99.0, 1.0)]);
    }

    #[test]
    fn events_of_no_duration_stay_when_they_are_in_the_scan() {
        let events = [(1.0, 0.0), (2.0, 0.0), (11.0, 0.0), (12.0, 0.0)];
        assert_eq!(times(&events, -2.0, 10.0), [(0.0, 0.0), (9.0, 0.0)]);
    }

    proptest! {
        #[test]
        fn every_event_lies_in_the_scan(
            onset in -50.0..150.0, duration in 0.0..50.0, by in -50.0..50.0, scan in 0.0..120.0,
        ) {
            for (start, length) in times(&[(onset, duration)], by, scan) {
                prop_assert!(start >= 0.0 && length >= 0.0 && start + length <= scan + 1e-9);
                prop_assert!(length <= duration + 1e-9);
            }
        }
    }
}
