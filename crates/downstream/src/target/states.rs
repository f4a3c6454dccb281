//! Transient mental states: the condition of a stretch of a scan.

use std::collections::BTreeMap;

use brainmae_data::{Event, SegmentLayout};
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::truth::{LeftOut, Truths};
use crate::{DownstreamError, Example, Kind};

/// Name of the class of stretches without any event.
const REST: &str = "rest";

/// Settings for reading the condition of a stretch from the events of its scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateSpec {
    /// Delay from an event to its BOLD response in seconds; all events are shifted by it.
    pub delay_secs: f64,
    /// Share of a stretch that a condition must fill. If no condition does, the stretch is mixed
    /// and left out.
    pub least_share: f64,
    /// Conditions that are used; events of others are ignored, except for [`rest`](Self::rest). All
    /// if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// True if stretches that rest fills to this share are a class too.
    pub rest: bool,
    /// Kind of the examples.
    pub stretch: Stretch,
    /// Distance between the starts of training segments in volumes; by default the length of a
    /// segment. Validation and test segments never overlap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_stride_trs: Option<usize>,
}

/// A stretch of a scan for which a condition is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// Consecutive segments, as the model cuts a scan.
    Segment,
    /// Each event with all of its volumes.
    Event,
    /// Each volume.
    Volume,
}

impl Default for StateSpec {
    fn default() -> Self {
        Self {
            delay_secs: 5.0,
            least_share: 0.5,
            conditions: Vec::new(),
            rest: false,
            stretch: Stretch::Segment,
            train_stride_trs: None,
        }
    }
}

impl StateSpec {
    pub(super) fn check(&self, name: &str) -> Result<(), DownstreamError> {
        let ranges = [
            ("delay_secs", self.delay_secs, 0.0..=60.0),
            // Above one half, at most one condition fills a stretch; at one half, the first of two
            // is used.
            ("least_share", self.least_share, 0.5..=1.0),
        ];
        if self.train_stride_trs == Some(0) {
            return Err(DownstreamError::Config {
                field: format!("targets.{name}.state.train_stride_trs"),
                found: "0".into(),
                expected: "at least 1".into(),
            });
        }
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                return Err(DownstreamError::Config {
                    field: format!("targets.{name}.state.{field}"),
                    found: value.to_string(),
                    expected: format!("from {} to {}", range.start(), range.end()),
                });
            }
        }
        Ok(())
    }

    pub(super) fn read(
        &self,
        name: &str,
        seen: &[&Seen],
        events: &[Event],
        layout: &SegmentLayout,
    ) -> Result<Truths, DownstreamError> {
        let mut of_scan: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in events {
            of_scan.entry(event.scan.as_str()).or_default().push(event);
        }
        let none = Vec::new();
        let events_of = |seen: &Seen| of_scan.get(seen.scan.scan.as_str()).unwrap_or(&none);
        let classes = self.classes(name, seen.iter().flat_map(|seen| events_of(seen)).copied())?;
        let kind = Kind::Classification {
            n_classes: classes.len(),
        };
        let mut truths = Truths::new(kind, classes);
        for seen in seen {
            let events = events_of(seen);
            if events.is_empty() {
                truths
                    .left_out
                    .push(LeftOut::of(seen.scan, "the scan has no events".into()));
                continue;
            }
            for example in self.stretches(seen, events, layout, layout.segment_len_trs) {
                match self.shown(seen, example, events, &truths.classes) {
                    Shown::Class(class) => truths.push(example, class as f64),
                    Shown::Mixed => truths.n_mixed += 1,
                    Shown::Nothing => {}
                }
            }
            let (Stretch::Segment, Some(stride)) = (self.stretch, self.train_stride_trs) else {
                continue;
            };
            for example in self.stretches(seen, events, layout, stride) {
                if let Shown::Class(class) = self.shown(seen, example, events, &truths.classes) {
                    truths.training.push((example, class as f64));
                }
            }
        }
        Ok(truths)
    }

    fn classes<'a>(
        &self,
        name: &str,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<Vec<String>, DownstreamError> {
        let mut found: Vec<&str> = events.map(|event| event.condition.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        let mut classes: Vec<String> = match &self.conditions[..] {
            [] => found
                .iter()
                .map(|condition| condition.to_string())
                .collect(),
            wanted => wanted.to_vec(),
        };
        let unknown = classes.iter().find(|c| !found.contains(&c.as_str()));
        if let Some(unknown) = unknown {
            return Err(DownstreamError::Config {
                field: format!("targets.{name}.state.conditions"),
                found: unknown.clone(),
                expected: format!("conditions of these scans: {found:?}"),
            });
        }
        if self.rest && !classes.iter().any(|class| class == REST) {
            classes.push(REST.to_string());
        }
        Ok(classes)
    }

    /// Segments start `stride` volumes apart.
    fn stretches(
        &self,
        seen: &Seen,
        events: &[&Event],
        layout: &SegmentLayout,
        stride: usize,
    ) -> Vec<Example> {
        let series = &seen.scan.series;
        let (n, tr_secs) = (series.n_volumes(), series.tr_secs());
        let example = |start_volume: usize, n_volumes: usize| Example {
            scan: seen.number,
            start_volume,
            n_volumes,
        };
        match self.stretch {
            Stretch::Segment => {
                let len = layout.segment_len_trs;
                let starts = (0..(n + 1).saturating_sub(len)).step_by(stride);
                starts.map(|start| example(start, len)).collect()
            }
            Stretch::Volume => (0..n).map(|volume| example(volume, 1)).collect(),
            Stretch::Event => (events.iter())
                .filter_map(|event| {
                    let at = |secs: f64| ((secs / tr_secs).round().max(0.0) as usize).min(n);
                    let start = at(event.onset_secs + self.delay_secs);
                    let end = at(event.onset_secs + self.delay_secs + event.duration_secs);
                    (end > start).then(|| example(start, end - start))
                })
                .collect(),
        }
    }

    /// Condition that fills enough of a stretch.
    fn shown(&self, seen: &Seen, example: Example, events: &[&Event], classes: &[String]) -> Shown {
        let tr_secs = seen.scan.series.tr_secs();
        let start = example.start_volume as f64 * tr_secs;
        let end = start + example.n_volumes as f64 * tr_secs;
        let mut filled = vec![0.0; classes.len()];
        let mut busy = Vec::new();
        for event in events {
            let onset = event.onset_secs + self.delay_secs;
            let within = [onset.max(start), (onset + event.duration_secs).min(end)];
            if within[1] <= within[0] {
                continue;
            }
            busy.push(within);
            if let Some(class) = classes.iter().position(|class| *class == event.condition) {
                filled[class] += within[1] - within[0];
            }
        }
        let touched = filled.iter().any(|secs| *secs > 0.0);
        if self.rest
            && let Some(rest) = classes.iter().position(|class| class == REST)
        {
            filled[rest] += end - start - covered(busy);
        }
        // The factor allows for rounding.
        let enough = self.least_share * (end - start) * (1.0 - 1e-9);
        let most =
            (filled.iter().enumerate()).max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        match most {
            Some((class, secs)) if *secs >= enough => Shown::Class(class),
            _ if touched => Shown::Mixed,
            _ => Shown::Nothing,
        }
    }
}

/// Content of a stretch of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// One class, by number.
    Class(usize),
    /// Conditions that were selected, but none fills enough.
    Mixed,
    /// No selected condition.
    Nothing,
}

/// Seconds that are covered by at least one of these intervals.
fn covered(mut intervals: Vec<[f64; 2]>) -> f64 {
    intervals.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut end = f64::NEG_INFINITY;
    let mut secs = 0.0;
    for [from, to] in intervals {
        secs += (to - from.max(end)).max(0.0);
        end = end.max(to);
    }
    secs
}

#[cfg(test)]
mod tests;
